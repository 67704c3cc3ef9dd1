import type { Sink } from '../../lib/index.ts';

/** A sink that keeps what is committed, by whichever task wrote it. */
export function collected<T>(): { readonly sink: Sink<T>; readonly values: T[] } {
  const values: T[] = [];
  return {
    values,
    sink: {
      kind: 'collect',
      name: 'collect',
      guarantee: 'exactly-once',
      open: () => {
        let current: T[] = [];
        let lined: T[] = [];
        return {
          restore() {},
          write: value => void current.push(value),
          barrier() {
            lined = [...lined, ...current];
            current = [];
          },
          flush: () => null,
          commit() {
            values.push(...lined);
            lined = [];
          },
          abandon() {},
          close() {},
        };
      },
    },
  };
}
