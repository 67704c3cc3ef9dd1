#!/bin/sh
# Ends a service that has outlived whoever started it: its starter may be killed with SIGKILL, and then nobody else can.
# Usage: watchdog.sh <process group> [<command to run first>]; stdin is a pipe whose other end only the starter holds.
# The line "done" means that the starter has ended the service itself; the end of the input means that the starter died.
# WATCHDOG_FOLDER, when set, is a temporary folder that goes with the service.
group=$1
read -r word
[ "$word" = done ] && exit 0
shift
[ $# -gt 0 ] && "$@" >/dev/null 2>&1
kill -TERM "-$group" 2>/dev/null
tries=0
while kill -0 "-$group" 2>/dev/null && [ $tries -lt 100 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -KILL "-$group" 2>/dev/null
[ -n "$WATCHDOG_FOLDER" ] && rm -rf "$WATCHDOG_FOLDER"
exit 0
