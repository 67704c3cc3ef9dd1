import type { Sink } from 'tidemark';

/** Counts what it is given, and keeps nothing. */
export interface NullSink<T> extends Sink<T> {
  readonly count: number;
}

export function nullSink<T>(): NullSink<T> {
  let count = 0;
  return {
    kind: 'null',
    name: 'null',
    guarantee: 'none',
    get count() {
      return count;
    },
    open: () => ({
      restore() {},
      write() {
        count++;
      },
      barrier() {},
      flush: () => null,
      commit() {},
      abandon() {},
      close() {},
    }),
  };
}
