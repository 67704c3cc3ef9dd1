// What `npm run rx-app` runs: the app, with the job in it. Options behind `--`, such as: npm run rx-app -- --port 8080
import { filter, firstValueFrom, Subject, Subscription } from 'rxjs';
import { fileStore, messageOf, start } from 'tidemark';
import { rxApp } from './app.ts';
import { Board } from './board.ts';
import { sensorJob } from './job.ts';
import { type Options, parseOptions } from './options.ts';
import type { Reading } from './readings.ts';
import { simulatedReadings } from './simulator.ts';

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(messageOf(error));
  process.exit(2);
}
const { host, port, sensors, seed, every: everyMs, 'silent-after': silentAfter, checkpoint: interval } = options;

// The app as it is without Tidemark: a hot Observable, a server, and what pages are told.
const readings$ = new Subject<Reading>();
const board = new Board();
const app = rxApp({
  readings$,
  events$: board.events$,
  isTaking: () => !isStopping && handle.status.phase === 'running',
});

// The job joins it.
const store = fileStore(options.store);
const handle = start(sensorJob(readings$, { silentAfter }), { store, checkpoint: { interval } });
board.follow(handle).subscribe();

let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  // The second signal ends the process at once.
  process.once(signal, () => {
    isStopping = true;
    // `done` tells how it ended.
    handle.stop().catch(() => {});
  });
}

const simulation = new Subscription();
try {
  // What is pushed before the job runs would be lost.
  await firstValueFrom(handle.status$.pipe(filter(({ phase }) => phase === 'running')), { defaultValue: undefined });
  if (handle.status.phase === 'running') {
    console.log(`The page is at ${await app.listen({ host, port })}`);
    if (sensors > 0) simulation.add(simulatedReadings({ seed, sensors, everyMs }).subscribe(readings$));
  }
  console.log(`The job is ${await handle.done}.`);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
  await handle.cancel();
} finally {
  simulation.unsubscribe();
  board.close();
  await app.close();
  await store.close();
}
