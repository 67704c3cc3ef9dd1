const waiting: (() => void)[] = [];

/**
 * Resolves after the process has looked at its sockets and timers. One reader a look: where a process has many tasks, their batches
 * would otherwise be handled in one go, and heartbeats and checkpoints of all of them would wait that long.
 */
export function turn(): Promise<void> {
  return new Promise(resolve => {
    if (waiting.push(resolve) === 1) setImmediate(next);
  });
}

function next(): void {
  const resolve = waiting.shift();
  if (waiting.length > 0) setImmediate(next);
  resolve?.();
}
