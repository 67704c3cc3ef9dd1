import type { Aggregate } from 'tidemark/operators';

/** All records for which `by` is highest, in the order in which they came: more than one where they are equal. */
export const highest = <T>(by: (value: T) => number): Aggregate<T, readonly T[], readonly T[]> => {
  const merge = (a: readonly T[], b: readonly T[]): readonly T[] => {
    const [first] = a;
    const [second] = b;
    if (first === undefined) return b;
    if (second === undefined || by(first) > by(second)) return a;
    return by(first) < by(second) ? b : [...a, ...b];
  };
  return { init: () => [], add: (best, value) => merge(best, [value]), merge, result: best => best };
};
