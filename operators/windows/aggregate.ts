import { type Aggregation, JobDefinitionError, type Key } from '../../lib/index.ts';

/**
 * How the records of a window become its result, one record at a time: nothing but the accumulator is kept.
 *
 * Accumulators are immutable plain data, as every state is: `add` and `merge` answer a new one.
 */
export interface Aggregate<T, A, R> extends Aggregation<T, A, R> {
  /** The accumulator of two stretches of records, the earlier one first; where windows overlap or grow together. */
  merge(earlier: A, later: A): A;
  result(accumulator: A, window?: Span): R;
  /** The accumulator is the list of all records: windows of a fixed size then store each record by itself. */
  readonly isWhole?: boolean;
}

/** A window as `result` sees it. */
export interface Span {
  readonly key: Key | undefined;
  /** ms (of a count window records): the first that belongs to it, and the first that does not. */
  readonly start: number;
  readonly end: number;
}

/** Records counted. */
export const count = <T = unknown>(): Aggregate<T, number, number> => ({
  init: () => 0,
  add: counted => counted + 1,
  merge: (a, b) => a + b,
  result: counted => counted,
});

/** The sum of what `of` selects. */
export const sum = <T>(of: (value: T) => number): Aggregate<T, number, number> => ({
  init: () => 0,
  add: (total, value) => total + of(value),
  merge: (a, b) => a + b,
  result: total => total,
});

/** The lowest number that `of` selects. */
export const min = <T>(of: (value: T) => number): Aggregate<T, number, number> => ({
  init: () => Number.POSITIVE_INFINITY,
  add: (lowest, value) => Math.min(lowest, of(value)),
  merge: (a, b) => Math.min(a, b),
  result: lowest => lowest,
});

/** The highest number that `of` selects. */
export const max = <T>(of: (value: T) => number): Aggregate<T, number, number> => ({
  init: () => Number.NEGATIVE_INFINITY,
  add: (highest, value) => Math.max(highest, of(value)),
  merge: (a, b) => Math.max(a, b),
  result: highest => highest,
});

interface Mean {
  readonly count: number;
  readonly sum: number;
}

/** The mean of what `of` selects. */
export const mean = <T>(of: (value: T) => number): Aggregate<T, Mean, number> => ({
  init: () => ({ count: 0, sum: 0 }),
  add: ({ count, sum }, value) => ({ count: count + 1, sum: sum + of(value) }),
  merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
  result: ({ count, sum }) => sum / count,
});

interface Reduced<T> {
  /** Nothing before the first record. */
  readonly value?: T;
}

/** All records put together by `combine`, the earlier one first; the first record is where it begins. */
export const reduced = <T>(combine: (earlier: T, later: T) => T): Aggregate<T, Reduced<T>, T> => {
  const merge = (a: Reduced<T>, b: Reduced<T>): Reduced<T> => {
    if (!('value' in a)) return b;
    return 'value' in b ? { value: combine(a.value as T, b.value as T) } : a;
  };
  return { init: () => ({}), add: (so, value) => merge(so, { value }), merge, result: ({ value }) => value as T };
};

/** Where there is no window: a state that aggregates. */
const always: Span = { key: undefined, start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/**
 * What `of` makes of all records of a window, in the order in which they came (windows that overlap: pane by pane), when it is
 * over. They are kept until the window has gone, each as an entry of its own.
 */
export const whole = <T, R>(of: (records: readonly T[], window: Span) => R): Aggregate<T, readonly T[], R> => ({
  init: () => [],
  add: (values, value) => [...values, value],
  merge: (a, b) => [...a, ...b],
  result: (values, window = always) => of(values, window),
  isWhole: true,
});

/** Every record: for what needs to see a window as a whole; see `whole`. */
export const all = <T>(): Aggregate<T, readonly T[], readonly T[]> => whole(values => values);

/** The last `n` records, the oldest first; no others are kept. */
export const latest = <T>(n: number): Aggregate<T, readonly T[], readonly T[]> => {
  if (!Number.isInteger(n) || n < 1)
    throw new JobDefinitionError(`aggregates.latest(${n}): give a whole number from 1.`);
  return {
    init: () => [],
    add: (values, value) => [...values.slice(values.length < n ? 0 : 1), value],
    merge: (a, b) => [...a, ...b].slice(-n),
    result: values => values,
  };
};

/**
 * The `n` records for which `by` is highest, highest first; of equals the one that came first. Kept are `n` records, however
 * many there are.
 */
export const topN = <T>(n: number, by: (value: T) => number): Aggregate<T, readonly T[], readonly T[]> => {
  const insert = (best: readonly T[], value: T): readonly T[] => {
    const score = by(value);
    if (best.length === n && score <= by(best[n - 1] as T)) return best;
    const at = best.findIndex(other => by(other) < score);
    return (at < 0 ? [...best, value] : best.toSpliced(at, 0, value)).slice(0, n);
  };
  return { init: () => [], add: insert, merge: (a, b) => b.reduce(insert, a), result: best => best };
};
