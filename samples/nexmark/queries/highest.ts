import type { Aggregate } from 'tidemark/operators';

/** All records for which `by` is highest, in the order in which they came: more than one where they are equal. */
export const highest = <T>(by: (value: T) => number): Aggregate<T, readonly T[], readonly T[]> => {
  const add = (best: readonly T[], value: T): readonly T[] => {
    const [first] = best;
    if (first === undefined || by(value) > by(first)) return [value];
    return by(value) < by(first) ? best : [...best, value];
  };
  return { init: () => [], add, merge: (a, b) => b.reduce(add, a), result: best => best };
};
