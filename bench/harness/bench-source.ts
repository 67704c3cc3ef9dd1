import { type DataStream, from, type SourceContext } from 'tidemark';

/** What takes the batches, and the watermarks between them. */
export interface Feed<T> {
  batch(values: readonly T[]): void;
  watermark(timestamp: number): void;
}

/** A source that a benchmark feeds by hand, batch by batch. */
export interface BenchSource<T> {
  /** For the job's function. */
  stream(): DataStream<T>;
  /** Once the job reads. */
  readonly opened: Promise<Feed<T>>;
}

/** Makes a source whose position is the number of records that it gave. */
export function benchSource<T>(): BenchSource<T> {
  const { promise: opened, resolve } = Promise.withResolvers<Feed<T>>();
  let given = 0;
  const open = (_position: unknown, context: SourceContext<T>) => ({
    start: () =>
      resolve({
        batch(values) {
          given += values.length;
          context.batch(values);
        },
        watermark: timestamp => context.watermark(timestamp),
      }),
    position: () => given,
    pause() {},
    resume() {},
    close() {},
  });
  return { stream: () => from({ kind: 'bench', name: 'bench', bounded: false, open }), opened };
}
