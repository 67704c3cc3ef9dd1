import {
  actor,
  type Behaviour,
  JobDefinitionError,
  type Key,
  type MapState,
  mapState,
  type Op,
  type StateKind,
} from '../lib/index.ts';
import type { Aggregate } from './windows/aggregate.ts';
import { verifyAggregate, type WindowResult } from './windows/options.ts';
import { greatestCommonDivisor } from './windows/panes.ts';

/** How many records came, and the time of the last one. */
interface Counted {
  readonly seen: number;
  readonly at: number;
}

const none: Counted = { seen: 0, at: Number.NaN };

interface States<A> {
  readonly panes: StateKind<MapState<number, A>>;
}

/**
 * The result of each `size` records in a row, or of the last `size` records after each `slide`; per key after `keyBy`.
 *
 *     in   -1-2-B-3-4-5-|      2 records, B a barrier
 *     out  ---s-B---t-(u|)     s, t and u: {start, end, key, value: 2, 2 and 1} with aggregates.count()
 *
 * `start` and `end` count the records of the key, from 0; a result has the time of its last one. The first windows that overlap have as many records as came.
 *
 * Emits when the last record of a window comes, and at the end of bounded input when records came behind the last window.
 * State: one accumulator for each stretch that windows share, and how many records came, for each key.
 * Fails when `aggregate` throws.
 */
export function countWindow<T, A, R>(
  name: string,
  size: number,
  aggregate: Aggregate<T, A, R>,
  { slide = size }: { readonly slide?: number } = {},
): Op<T, WindowResult<R>> {
  for (const [option, given] of Object.entries({ size, slide })) {
    if (Number.isInteger(given) && given > 0 && slide <= size) continue;
    throw new JobDefinitionError(
      `countWindow("${name}"): ${option} is ${given}; give numbers of records from 1, and let slide be size at most.`,
    );
  }
  verifyAggregate(`countWindow("${name}")`, aggregate);
  const length = greatestCommonDivisor(size, slide);
  const behaviour: Behaviour<T, Counted, WindowResult<R>, Key | undefined, States<A>> = {
    update: 'return',
    states: { panes: mapState<number, A>() },
    initial: () => none,
    receive({ seen }, value, ctx) {
      const { panes } = ctx.states;
      const pane = Math.floor(seen / length);
      panes.set(pane, aggregate.add(seen % length === 0 ? aggregate.init() : (panes.get(pane) as A), value));
      if ((seen + 1) % slide === 0) {
        ctx.emit(resultOf(panes, seen + 1, ctx.key));
        for (const one of panes.keys()) if (one * length < seen + 1 + slide - size) panes.delete(one);
      }
      return { seen: seen + 1, at: ctx.timestamp };
    },
    onComplete({ seen, at }, ctx) {
      if (seen % slide !== 0) ctx.emit(resultOf(ctx.states.panes, seen, ctx.key), at);
    },
  };
  return actor(name, behaviour) as Op<T, WindowResult<R>>;

  function resultOf(panes: MapState<number, A>, end: number, key: Key | undefined): WindowResult<R> {
    const start = Math.max(0, Math.ceil(end / slide) * slide - size);
    let pane = start / length;
    let of = panes.get(pane) as A;
    for (pane++; pane * length < end; pane++) of = aggregate.merge(of, panes.get(pane) as A);
    const window = { key, start, end };
    return { ...window, value: aggregate.result(of, window) };
  }
}
