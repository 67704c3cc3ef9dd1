import { JobDefinitionError, parseDuration, type Side } from '../../lib/index.ts';

/**
 * Which records give a result: `inner` those with a partner, `left` also those of the first stream without one, `full` those
 * of either.
 */
export type JoinType = 'inner' | 'left' | 'full';

/** What a result is made of, by type of join; `undefined` where there is no partner. */
export interface JoinedPair<L, R> {
  readonly inner: [left: L, right: R];
  readonly left: [left: L, right: R | undefined];
  readonly full: [left: L | undefined, right: R | undefined];
}

/** Where records go that come too late for a result; without a tag they are dropped and counted. */
export interface LateSides<L, R> {
  readonly lateLeft?: Side<L>;
  readonly lateRight?: Side<R>;
}

export interface JoinOptions<L, R, O, J extends JoinType> extends LateSides<L, R> {
  /** Default `inner`. */
  readonly type?: J;
  /** Makes the result of a pair; `[left, right]` when it is left out. */
  readonly result?: (...pair: JoinedPair<L, R>[J]) => O;
}

/** Whether the records of each input give a result without a partner. */
export interface OuterSides {
  readonly left: boolean;
  readonly right: boolean;
}

export function outerSides(operator: string, type: JoinType = 'inner'): OuterSides {
  if (type !== 'inner' && type !== 'left' && type !== 'full') {
    throw new JobDefinitionError(
      `${operator}: type is ${JSON.stringify(type)}: it is "inner", "left" or "full" (swap the streams for a right join).`,
    );
  }
  return { left: type !== 'inner', right: type === 'full' };
}

/** A join's `result`, or the pair itself. */
export function pairing<O>(
  operator: string,
  result: ((...pair: never) => O) | undefined,
): (left: unknown, right: unknown) => O {
  if (result !== undefined && typeof result !== 'function') {
    throw new JobDefinitionError(`${operator}: result is no function: it makes the result of (left, right).`);
  }
  return (result as ((left: unknown, right: unknown) => O) | undefined) ?? ((left, right) => [left, right] as O);
}

/** The tags for late records, and what declares them: a side output that nobody reads is counted. */
export function lateSides(
  name: string,
  { lateLeft, lateRight }: LateSides<unknown, unknown>,
): { left: Side<unknown>; right: Side<unknown>; sides: Side<unknown>[] } {
  const left: Side<unknown> = lateLeft ?? { name: `${name}-late-left` };
  const right: Side<unknown> = lateRight ?? { name: `${name}-late-right` };
  return { left, right, sides: left.name === right.name ? [left] : [left, right] };
}

/** A distance in time, before or behind; as whole ms. */
export function signedMs(operator: string, option: string, given: unknown): number {
  const isBefore = typeof given === 'number' ? given < 0 : typeof given === 'string' && given.startsWith('-');
  const distance = isBefore ? (typeof given === 'number' ? -given : (given as string).slice(1)) : given;
  const ms = parseDuration(distance);
  if (ms === undefined || !Number.isInteger(ms)) {
    throw new JobDefinitionError(
      `${operator}: ${option} is ${JSON.stringify(given)}, which is no duration in whole ms: give ms, or a text such as "10s" or "-10s".`,
    );
  }
  return isBefore ? -ms : ms;
}
