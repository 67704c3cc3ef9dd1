import { type DataStream, from, type SourceContext } from 'tidemark';

/** A source that a benchmark feeds by hand, batch by batch. */
export interface BenchSource<T> {
  /** For the job's function. */
  stream(): DataStream<T>;
  /** What takes the batches, once the job reads. */
  readonly opened: Promise<{ batch(values: readonly T[]): void }>;
}

/** Makes a source whose position is the number of records that it gave. */
export function benchSource<T>(): BenchSource<T> {
  const { promise: opened, resolve } = Promise.withResolvers<{ batch(values: readonly T[]): void }>();
  let given = 0;
  const open = (_position: unknown, context: SourceContext<T>) => ({
    start: () =>
      resolve({
        batch(values) {
          given += values.length;
          context.batch(values);
        },
      }),
    position: () => given,
    pause() {},
    resume() {},
    close() {},
  });
  return { stream: () => from({ kind: 'bench', name: 'bench', bounded: false, open }), opened };
}
