#!/usr/bin/env node
import { createRequire } from 'node:module';
import { check, checkState, start } from '../lib/index.ts';
import { openStatusServer } from '../lib/observe/status-server/status-server.ts';
import { exitCodes } from './exit-code.ts';
import { tidemark } from './program.ts';
import { storeOf } from './store.ts';
import { startWorkers } from './workers/start-workers.ts';
import type { World } from './world.ts';

const require = createRequire(import.meta.url);

const world: World = {
  start,
  check,
  checkState,
  startWorkers,
  openStore: storeOf,
  openStatusServer,
  version: (require('tidemark/package.json') as { version: string }).version,
  cwd: process.cwd(),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
};

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read it has gone (`| head`): what is left to say is said to nobody, and the job goes on.
  stream.on('error', error => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
}

// A module that waits for ever with nothing to wait for lets Node end by itself; that is not success.
process.exitCode = exitCodes.internal;
process.once('beforeExit', () => {
  process.stderr.write(
    'Nothing is left to wait for, but the command has not ended: does the job module await something that never comes?\n',
  );
});

const exitCode = await tidemark(process.argv.slice(2), world);

// What a job module has left open (a connection, an interval) must not keep the process: it ends when all is written.
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(exitCode);

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => stream.write('', () => resolve()));
}
