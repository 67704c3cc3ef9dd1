import { type ActorContext, type Behaviour, firstWhere, type Key } from '../../lib/index.ts';
import type { Aggregate } from './aggregate.ts';
import { type EarlySettings, timeless, type WindowResult, type WindowSettings } from './options.ts';
import { type PaneStates, paneStates, paneStore } from './pane-store.ts';
import type { Panes } from './panes.ts';

/**
 * What tumbling and sliding windows do: each record counts in its pane, and a window's result is that of its panes, put
 * together when the window ends. A timer is set for the next window of each new pane, and at its end for the next one of those
 * that are left. With the clock, where timers do not fire at the end of the input, the state says which window was over last.
 */
export function alignedWindows<T, A, R>(
  name: string,
  panes: Panes,
  aggregate: Aggregate<T, A, R>,
  { time = 'event', latenessMs, late, early, evict }: WindowSettings<T>,
): Behaviour<T, number | undefined, WindowResult<R>, Key | undefined, PaneStates<T, A>> {
  type Context = ActorContext<WindowResult<R>, Key | undefined, PaneStates<T, A>>;
  const store = paneStore(aggregate, evict);
  const isEventTime = time === 'event';
  /** A window is complete when the watermark has reached its last ms, or the clock its end. */
  const fires = (end: number): number => (isEventTime ? end - 1 : end);
  /** The latest end of a window that is over then. */
  const overAt = (now: number): number => (isEventTime ? now + 1 : now);

  const emit = (ctx: Context, end: number, isEarly?: true): void => {
    const start = end - panes.size;
    const window = { key: ctx.key, start, end };
    const result = store.result(ctx, window);
    if (result) ctx.emit({ ...window, value: result.value, ...(isEarly && { isEarly }) }, end - 1);
  };

  /** Counts a record of a pane, and sees whether an early result is due. */
  const notice = (ctx: Context, pane: number, { everyMs, records }: EarlySettings): void => {
    const { fresh } = ctx.states;
    if (fresh.size === 0 && everyMs < Number.POSITIVE_INFINITY) ctx.timers.atProcessingTime(ctx.now() + everyMs);
    fresh.set(pane, (fresh.get(pane) ?? 0) + 1);
    if (records === Number.POSITIVE_INFINITY) return;
    let seen = 0;
    for (const one of fresh.keys()) seen += fresh.get(one) as number;
    if (seen >= records) emitEarly(ctx, isEventTime ? ctx.watermark : ctx.now());
  };

  /** The results so far of all windows that are not over and have had records since the last time. */
  const emitEarly = (ctx: Context, now: number): void => {
    const ends = panes.endsBehind(ctx.states.fresh.keys(), overAt(now));
    ctx.states.fresh.clear();
    for (const end of ends) emit(ctx, end, true);
  };

  const setTimer = (ctx: Context, at: number): void => {
    if (isEventTime) ctx.timers.atEventTime(at);
    else ctx.timers.atProcessingTime(at);
  };

  /** Drops what no window needs any more, and sets the timer for what is left; however many panes there are. */
  const tidy = (ctx: Context, now: number): void => {
    const kept = ctx.states.panes.sortedKeys();
    let at = 0;
    for (; at < kept.length; at++) {
      const pane = kept[at] as number;
      if (fires(panes.lastEnd(pane)) + latenessMs > now) break;
      store.drop(ctx, pane);
      if (early) ctx.states.fresh.delete(pane);
    }
    if (at === kept.length) return;
    // The first one that is over goes first, and behind one that is not nothing is to be done earlier.
    const open = firstWhere(kept, pane => fires(panes.lastEnd(pane)) > now, at);
    const due = nextTimer(kept[at] as number, now);
    setTimer(ctx, open < kept.length ? Math.min(due, nextTimer(kept[open] as number, now)) : due);
  };

  /** When something is to be done about a pane next: the first end of a window of it that is not over, or that it goes. */
  const nextTimer = (pane: number, now: number): number => {
    const end = panes.nextEnd(pane, overAt(now));
    return end === undefined ? fires(panes.lastEnd(pane)) + latenessMs : fires(end);
  };

  return {
    update: 'return',
    ...(late && { sides: [late] }),
    states: paneStates<T, A>(aggregate.isWhole === true, early !== undefined, evict),
    initial: () => undefined,
    receive(_, value, ctx) {
      const at = isEventTime ? ctx.timestamp : ctx.now();
      if (Number.isNaN(at)) throw timeless(name);
      const pane = panes.paneOf(at);
      if (pane === undefined) {
        // Between windows, or with the end of time, which no window holds.
        if (late && at === Number.POSITIVE_INFINITY) ctx.side(late, value);
        return;
      }
      const now = isEventTime ? ctx.watermark : at;
      const last = panes.lastEnd(pane);
      if (fires(last) + latenessMs <= now) {
        if (late) ctx.side(late, value);
        return;
      }
      if (store.add(ctx, pane, at, value)) setTimer(ctx, nextTimer(pane, now));
      if (early) notice(ctx, pane, early);
      // Windows that have given their result already give it again.
      for (let end = panes.firstEnd(pane); end <= last && fires(end) <= now; end += panes.slide) {
        if (fires(end) + latenessMs > now) emit(ctx, end);
      }
    },
    onTimer(over, at, ctx, kind) {
      if (kind === 'processing' && isEventTime) {
        emitEarly(ctx, ctx.watermark);
        return over as number | undefined;
      }
      const end = isEventTime ? at + 1 : at;
      if (panes.isEnd(end)) emit(ctx, end);
      else if (early && !isEventTime) emitEarly(ctx, at);
      if (isEventTime && ctx.watermark === Number.POSITIVE_INFINITY) {
        // The end of the input: no later timer will fire.
        for (const next of panes.endsBehind(ctx.states.panes.keys(), end)) emit(ctx, next);
        ctx.forget();
        return undefined;
      }
      tidy(ctx, at);
      if (ctx.states.panes.size > 0) return isEventTime ? undefined : end;
      if (over !== undefined) ctx.forget();
      return undefined;
    },
    ...(!isEventTime && {
      onComplete(over: number | undefined, ctx: Context) {
        for (const end of panes.endsBehind(ctx.states.panes.keys(), over ?? Number.NEGATIVE_INFINITY)) emit(ctx, end);
        ctx.forget();
      },
    }),
  };
}
