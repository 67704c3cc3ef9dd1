import { type Duration, JobDefinitionError, UserCodeError } from '../../lib/index.ts';
import type { WindowElement } from './elements.ts';
import { neededMs } from './options.ts';

/** An evictor for records of any type. */
export type AnyEvictor = <T>(elements: readonly WindowElement<T>[]) => readonly WindowElement<T>[];

/** The last `n` records count, in the order in which they came. */
export function count(n: number): AnyEvictor {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new JobDefinitionError(`evictors.count(${String(n)}): give a whole number from 1.`);
  return elements => elements.slice(-n);
}

/** The records count that are by less than `span` older than the newest one of the window. */
export function time(span: Duration): AnyEvictor {
  const ms = neededMs('evictors.time()', 'span', span, 1);
  return elements => {
    let newest = Number.NEGATIVE_INFINITY;
    for (const { timestamp } of elements) newest = Math.max(newest, timestamp);
    if (Number.isNaN(newest)) {
      throw new UserCodeError(
        'evictors.time() needs the time of each record, and one has none: put assignTimestamps() behind its source.',
      );
    }
    return elements.filter(({ timestamp }) => timestamp > newest - ms);
  };
}

/** The records count that differ from the last one by less than `threshold`, as `difference` sees it. */
export function delta<T>(threshold: number, difference: (value: T, last: T) => number) {
  if (typeof threshold !== 'number' || Number.isNaN(threshold) || typeof difference !== 'function') {
    throw new JobDefinitionError(
      'evictors.delta(threshold, difference) needs a number, and a function that answers by how much a value differs from the last one.',
    );
  }
  return (elements: readonly WindowElement<T>[]): readonly WindowElement<T>[] => {
    const last = elements.at(-1);
    return last === undefined ? elements : elements.filter(({ value }) => difference(value, last.value) < threshold);
  };
}
