import {
  type Duration,
  JobDefinitionError,
  type Key,
  parseDuration,
  type Side,
  UserCodeError,
} from '../../lib/index.ts';

/** The result of one window. */
export interface WindowResult<R, K = Key | undefined> {
  readonly key: K;
  /** ms; the first that belongs to the window. */
  readonly start: number;
  /** ms; the first that does not. */
  readonly end: number;
  readonly value: R;
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
