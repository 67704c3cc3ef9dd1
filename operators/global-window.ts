import { type ActorContext, actor, type Behaviour, JobDefinitionError, type Key, type Op } from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';
import type { Aggregate } from './windows/aggregate.ts';
import { type Evictor, elementStates } from './windows/elements.ts';
import { type GlobalStates, globalContents } from './windows/global-contents.ts';
import { type EarlyOptions, msOf, verifyAggregate, verifyEvictor, type WindowResult } from './windows/options.ts';

/** When a global window gives its result: whatever of these comes first; at least one of them. */
export interface GlobalTrigger<T> extends EarlyOptions {
  /** With the record that it answers true for; `records` are those since the last result, with this one. */
  readonly when?: (value: T, records: number) => boolean;
  /** Whether the window begins anew behind each result; left out: it goes on. */
  readonly purge?: boolean;
  /** Which records count in a result, with `aggregates.whole`; all when it is left out. The others are dropped with it. */
  readonly evict?: Evictor<T>;
}

interface State<A> {
  /** The accumulator, where it keeps no records. */
  readonly of?: A;
  /** Records since the window began, and since its last result. */
  readonly seen: number;
  readonly fresh: number;
  /** The time of the last record. */
  readonly at: number;
}

/**
 * One window for all records of a key, which gives its result when `trigger` says so.
 *
 *     in   -1-2-B-3-4-5-|      every 2 records, purge: true; B a barrier
 *     out  ---s-B---t-(u|)     s, t and u: {start: 0, end, key, value: 2, 2 and 1} with aggregates.count()
 *
 * `start` and `end` count the records of the window, from 0; a result has the time of its last one.
 *
 * Emits when the trigger says so, and at the end of bounded input when records came since.
 * State: one accumulator a key; with aggregates.whole each record by itself.
 * Fails when `aggregate` or `when` throws.
 */
export function globalWindow<T, A, R>(
  name: string,
  aggregate: Aggregate<T, A, R>,
  trigger: GlobalTrigger<T>,
): Op<T, WindowResult<R>> {
  const operator = `globalWindow("${name}")`;
  verifyAggregate(operator, aggregate);
  knownOptions(operator, trigger, ['every', 'records', 'when', 'purge', 'evict']);
  const { records = Number.POSITIVE_INFINITY, when, purge = false, evict } = trigger;
  verifyEvictor(operator, evict, aggregate);
  const everyMs = msOf(operator, 'every', trigger.every, 1);
  if (trigger.records !== undefined && !(Number.isInteger(records) && records > 0)) {
    throw new JobDefinitionError(`${operator}: records is ${records}, and must be a whole number from 1.`);
  }
  if (everyMs === undefined && trigger.records === undefined && typeof when !== 'function') {
    throw new JobDefinitionError(
      `${operator}: give its trigger "every", "records" or "when": else it never gives a result.`,
    );
  }
  const empty: State<A> = { seen: 0, fresh: 0, at: Number.NaN };

  type Context = ActorContext<WindowResult<R>, Key | undefined, GlobalStates<T>>;
  const contents = globalContents(aggregate, evict);

  const emit = (state: State<A>, ctx: Context): void => {
    const window = { key: ctx.key, start: 0, end: state.seen };
    ctx.emit({ ...window, value: contents.result(ctx, state, window) }, state.at);
  };

  /** Emits the result; a window that begins anew leaves nothing behind. */
  const given = (state: State<A>, ctx: Context): State<A> => {
    emit(state, ctx);
    if (!purge) return { ...state, fresh: 0 };
    ctx.forget();
    return empty;
  };

  const behaviour: Behaviour<T, State<A>, WindowResult<R>, Key | undefined, GlobalStates<T>> = {
    update: 'return',
    states: elementStates<T, number>(aggregate.isWhole === true, evict),
    initial: () => empty,
    receive(state, value, ctx) {
      const before = state as State<A>;
      if (before.fresh === 0 && everyMs !== undefined) ctx.timers.atProcessingTime(ctx.now() + everyMs);
      const of = contents.add(ctx, before, before.seen, value);
      const next = { ...of, seen: before.seen + 1, fresh: before.fresh + 1, at: ctx.timestamp };
      if (next.fresh < records && !when?.(value, next.fresh)) return next;
      return given(next, ctx);
    },
    onTimer(state, _at, ctx) {
      const now = state as State<A>;
      // What it was set for may have been given meanwhile, for another reason.
      if (now.fresh === 0) return now;
      return given(now, ctx);
    },
    onComplete(state, ctx) {
      if (state.fresh > 0) emit(state as State<A>, ctx);
    },
  };
  return actor(name, behaviour) as Op<T, WindowResult<R>>;
}
