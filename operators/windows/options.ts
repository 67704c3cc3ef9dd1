import {
  type Duration,
  JobDefinitionError,
  type Key,
  parseDuration,
  type Side,
  UserCodeError,
} from '../../lib/index.ts';
import { knownOptions } from '../options/known-options.ts';
import type { Aggregate } from './aggregate.ts';
import type { Evictor } from './elements.ts';
import { Panes } from './panes.ts';

/** The result of one window. */
export interface WindowResult<R, K = Key | undefined> {
  readonly key: K;
  /** ms; the first that belongs to the window. */
  readonly start: number;
  /** ms; the first that does not. */
  readonly end: number;
  readonly value: R;
  /** Set where the window is not over: what `early` asked for. */
  readonly isEarly?: true;
}

/** When an open window gives its result so far: what comes first of both. */
export interface EarlyOptions {
  /** So long after its first record, and after each of its early results, when records have come since. By the task's clock. */
  readonly every?: Duration;
  /** When so many records of the key have come since its last early result. */
  readonly records?: number;
}

/** The same in ms; `Infinity` where it is left out. */
export interface EarlySettings {
  readonly everyMs: number;
  readonly records: number;
}

export interface WindowOptions<T> {
  /** Which time counts: that of the records (default), or the clock at which they come in. */
  readonly time?: 'event' | 'processing';
  /**
   * How long a window is kept after the watermark has passed its end, for records that come late: each of them gives its
   * result again. 0 when left out; not with processing time, where nothing is late.
   */
  readonly lateness?: Duration;
  /** Where records go that come later than that; they are dropped when it is left out. */
  readonly late?: Side<T>;
  /** Results before a window is over, marked `isEarly`; none when it is left out. */
  readonly early?: EarlyOptions;
  /** Which records of a window count in a result, with `aggregates.whole`; all when it is left out. See `evictors`. */
  readonly evict?: Evictor<T>;
}

/** Options of windows, in ms. */
export interface WindowSettings<T> extends Pick<WindowOptions<T>, 'time' | 'late' | 'evict'> {
  readonly latenessMs: number;
  readonly early: EarlySettings | undefined;
}

const windowOptions = ['time', 'lateness', 'late', 'early', 'evict'];

export function windowSettings<T>(
  operator: string,
  aggregate: Pick<Aggregate<T, unknown, unknown>, 'isWhole'>,
  options: WindowOptions<T>,
  others: readonly string[] = [],
): WindowSettings<T> {
  verifyAggregate(operator, aggregate);
  knownOptions(operator, options, [...windowOptions, ...others]);
  const { time, late, lateness, early, evict } = options;
  verifyEvictor(operator, evict, aggregate);
  if (time !== undefined && time !== 'event' && time !== 'processing') {
    throw new JobDefinitionError(
      `${operator}: time is ${JSON.stringify(time)}: give 'event' (the times of the records, which is the default) or 'processing' (the clock).`,
    );
  }
  if (time === 'processing' && lateness !== undefined) {
    throw new JobDefinitionError(`${operator}: lateness is for event time; by the clock nothing is late.`);
  }
  if (late !== undefined && typeof (late as Partial<Side<T>> | null)?.name !== 'string') {
    throw new JobDefinitionError(`${operator}: late is no side output: declare one with side('late') of tidemark.`);
  }
  return {
    ...(time && { time }),
    ...(late && { late }),
    ...(evict && { evict }),
    latenessMs: msOf(operator, 'lateness', lateness, 0) ?? 0,
    early: early && earlySettings(operator, early),
  };
}

function earlySettings(operator: string, early: EarlyOptions): EarlySettings {
  knownOptions(`${operator}: early`, early, ['every', 'records']);
  const { every, records } = early;
  const everyMs = msOf(operator, 'early.every', every, 1);
  if (records !== undefined && !(Number.isInteger(records) && records > 0)) {
    throw new JobDefinitionError(`${operator}: early.records is ${records}, and must be a whole number from 1.`);
  }
  if (everyMs === undefined && records === undefined) {
    throw new JobDefinitionError(`${operator}: "early" needs "every" (a duration) or "records" (a number), or both.`);
  }
  return { everyMs: everyMs ?? Number.POSITIVE_INFINITY, records: records ?? Number.POSITIVE_INFINITY };
}

/** Refuses what is no aggregate. */
export function verifyAggregate(operator: string, aggregate: unknown): void {
  if (typeof aggregate === 'function') {
    throw new JobDefinitionError(
      `${operator}: its aggregate is a function: call it, as in aggregates.count(); for one of your own give { init, add, merge, result }.`,
    );
  }
  const given = (aggregate ?? {}) as Partial<Record<string, unknown>>;
  const missing = ['init', 'add', 'merge', 'result'].filter(part => typeof given[part] !== 'function');
  if (missing.length === 0) return;
  throw new JobDefinitionError(
    `${operator} needs an aggregate, such as aggregates.count(); in what it was given is no ${missing.join(', ')}.`,
  );
}

/** Refuses what is no evictor, and one where the records are not kept. */
export function verifyEvictor(operator: string, evict: unknown, aggregate: { readonly isWhole?: boolean }): void {
  if (evict === undefined) return;
  if (typeof evict !== 'function') {
    throw new JobDefinitionError(
      `${operator}: evict is no function: give evictors.count(n), evictors.time('10s'), evictors.delta(…), or one of (elements, window) ` +
        'that answers the elements that count.',
    );
  }
  if (aggregate.isWhole) return;
  throw new JobDefinitionError(
    `${operator}: evict needs the records of a window, and its aggregate keeps none of them, only what they add up to: use ` +
      'aggregates.whole(records => …) or aggregates.all().',
  );
}

/** Windows of `size` ms that begin every `slide` ms, which share panes. */
export function panesOf(operator: string, size: number, slide: number, offset: Duration | undefined): Panes {
  if (slide <= size) return new Panes(size, slide, msOf(operator, 'offset', offset, 0) ?? 0);
  throw new JobDefinitionError(
    `${operator}: its windows are ${size} ms long and begin every ${slide} ms, so what comes between two would be in none: ` +
      'let slide be size at most, or use filter().',
  );
}

/** The ms of a duration that has to be given. */
export function neededMs(operator: string, option: string, given: Duration | undefined, least: number): number {
  const ms = msOf(operator, option, given, least);
  if (ms === undefined)
    throw new JobDefinitionError(`${operator} needs its ${option} behind the name: ms, or a text such as "10s".`);
  return ms;
}

/** `undefined` stays; anything else becomes ms, or a refusal that names the option. */
export function msOf(operator: string, option: string, given: Duration | undefined, least: number): number | undefined {
  if (given === undefined) return undefined;
  const ms = parseDuration(given);
  if (ms !== undefined && ms >= least && Number.isInteger(ms)) return ms;
  throw new JobDefinitionError(
    `${operator}: ${option} is ${JSON.stringify(given)}, which is no duration of ${least} ms or more in whole ms: give ms, or a text such as "10s".`,
  );
}

/** Why windows over event time cannot take a record. */
export function timeless(name: string): UserCodeError {
  return new UserCodeError(
    `The windows of "${name}" need the time of each record, and one has none: put assignTimestamps() behind its source, or ` +
      "count by the clock (time: 'processing').",
  );
}
