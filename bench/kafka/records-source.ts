import type { Source } from 'tidemark';
import { Stopwatch } from './load.ts';

/** A bounded source of batches in memory, with a turn of the event loop between them; `opened` when it begins to give. */
export function recordsSource<T>(batches: readonly (readonly T[])[]): {
  readonly source: Source<T>;
  readonly opened: Promise<Stopwatch>;
} {
  const { promise: opened, resolve } = Promise.withResolvers<Stopwatch>();
  return {
    opened,
    source: {
      kind: 'bench',
      name: 'bench',
      bounded: true,
      open(_position, context) {
        let next = 0;
        let isPaused = false;
        let isClosed = false;
        let isScheduled = false;
        const later = () => {
          if (isScheduled || isPaused || isClosed) return;
          isScheduled = true;
          setImmediate(give);
        };
        const give = () => {
          isScheduled = false;
          if (isPaused || isClosed) return;
          const batch = batches[next++];
          if (batch === undefined) {
            context.complete();
            return;
          }
          context.batch(batch);
          later();
        };
        return {
          start() {
            resolve(new Stopwatch());
            later();
          },
          position: () => next,
          pause() {
            isPaused = true;
          },
          resume() {
            isPaused = false;
            later();
          },
          close() {
            isClosed = true;
          },
        };
      },
    },
  };
}
