import {
  job as declareJob,
  type FromOptions,
  from,
  type JobHandle,
  type JobSettings,
  memoryStore,
  type Sink,
  start,
} from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

/** A sink that takes as many values as it is given credits for, and gives them back when it is told to. */
export function slowSink() {
  const written: unknown[] = [];
  let finish: () => void = () => {};
  const sink: Sink<unknown> = {
    kind: 'slow',
    name: 'slow',
    guarantee: 'none',
    open: ({ credits }) => {
      let held = 0;
      finish = () => {
        const given = held;
        held = 0;
        credits.release(given);
      };
      return {
        restore() {},
        write(value) {
          written.push(value);
          held++;
          credits.acquire(1);
        },
        barrier() {},
        flush: () => null,
        commit() {},
        abandon() {},
        close() {},
      };
    },
  };
  return { sink, written, finish: () => finish() };
}

/** A job of one source whose sink pauses it when it holds two values. */
export function slowed(source: Parameters<typeof from>[0], options: FromOptions = {}, settings: JobSettings = {}) {
  const slow = slowSink();
  const handle = start(
    declareJob('slowed', () => from(source, options).pipe(to(slow.sink))),
    {
      store: memoryStore(),
      logger: quiet,
      restart: { strategy: 'none' },
      checkpoint: { interval: 'off' },
      credits: { limit: 2 },
      ...settings,
    },
  );
  return { handle, ...slow };
}

export const isPaused = (handle: JobHandle) => handle.status.sources[0]?.isPaused;

/** A sink that calls a function with each value. */
export function sinkThat(write: (value: unknown) => unknown): Sink<unknown> {
  return {
    kind: 'calling',
    name: 'calling',
    guarantee: 'none',
    open: () => ({
      restore() {},
      write: value => void write(value),
      barrier() {},
      flush: () => null,
      commit() {},
      abandon() {},
      close() {},
    }),
  };
}
