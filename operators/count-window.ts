import { type ActorContext, actor, type Behaviour, JobDefinitionError, type Key, type Op } from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';
import type { Aggregate } from './windows/aggregate.ts';
import type { Evictor } from './windows/elements.ts';
import { verifyAggregate, verifyEvictor, type WindowResult } from './windows/options.ts';
import { type PaneStates, paneStates, paneStore } from './windows/pane-store.ts';
import { greatestCommonDivisor } from './windows/panes.ts';

/** How many records came, and the time of the last one. */
interface Counted {
  readonly seen: number;
  readonly at: number;
}

export interface CountWindowOptions<T> {
  /** After how many records there is a result again, of the last ones; `size` when left out. */
  readonly slide?: number;
  /** Which records of a window count in its result, with `aggregates.whole`; all when it is left out. */
  readonly evict?: Evictor<T>;
}

const none: Counted = { seen: 0, at: Number.NaN };

/**
 * The result of each `size` records in a row, or of the last `size` records after each `slide`; per key after `keyBy`.
 *
 *     in   -1-2-B-3-4-5-|      2 records, B a barrier
 *     out  ---s-B---t-(u|)     s, t and u: {start, end, key, value: 2, 2 and 1} with aggregates.count()
 *
 * `start` and `end` count the records of the key, from 0; a result has the time of its last one. The first windows that overlap have as many records as came.
 *
 * Emits when the last record of a window comes, and at the end of bounded input when records came behind the last window.
 * State: one accumulator for each stretch that windows share (with aggregates.whole each record), and how many came, for each key.
 * Fails when `aggregate` throws.
 */
export function countWindow<T, A, R>(
  name: string,
  size: number,
  aggregate: Aggregate<T, A, R>,
  options: CountWindowOptions<T> = {},
): Op<T, WindowResult<R>> {
  const operator = `countWindow("${name}")`;
  knownOptions(operator, options, ['slide', 'evict']);
  const { slide = size, evict } = options;
  for (const [option, given] of Object.entries({ size, slide })) {
    if (Number.isInteger(given) && given > 0 && slide <= size) continue;
    throw new JobDefinitionError(
      `${operator}: ${option} is ${given}; give numbers of records from 1, and let slide be size at most.`,
    );
  }
  verifyAggregate(operator, aggregate);
  verifyEvictor(operator, evict, aggregate);
  type Context = ActorContext<WindowResult<R>, Key | undefined, PaneStates<T, A>>;
  const length = greatestCommonDivisor(size, slide);
  const store = paneStore(aggregate, evict);

  const emit = (ctx: Context, end: number, at?: number): void => {
    const window = { key: ctx.key, start: Math.max(0, Math.ceil(end / slide) * slide - size), end };
    const result = store.result(ctx, window);
    if (result) ctx.emit({ ...window, value: result.value }, at);
  };

  const behaviour: Behaviour<T, Counted, WindowResult<R>, Key | undefined, PaneStates<T, A>> = {
    update: 'return',
    states: paneStates<T, A>(aggregate.isWhole === true, false, evict),
    initial: () => none,
    receive({ seen: before }, value, ctx) {
      store.add(ctx, before - (before % length), ctx.timestamp, value);
      const seen = before + 1;
      if (seen % slide === 0) {
        emit(ctx, seen);
        // Those that the next window does not have, but the one before had.
        for (let pane = Math.max(0, seen - size); pane < seen + slide - size; pane += length) store.drop(ctx, pane);
      }
      return { seen, at: ctx.timestamp };
    },
    onComplete({ seen, at }, ctx) {
      if (seen % slide !== 0) emit(ctx, seen, at);
    },
  };
  return actor(name, behaviour) as Op<T, WindowResult<R>>;
}
