import { type ActorContext, actor, type Key, type Op, UserCodeError } from '../../lib/index.ts';
import type { Clock } from './options.ts';

/** What an operator remembers of a key while there is something to do for it, at `due` (ms, on the operator's clock). */
export interface Pending {
  readonly due: number;
}

export type TimedContext<R, D = NoStates> = ActorContext<R, Key | undefined, D>;

/** An operator on time: for each key it waits for at most one moment, which can move on while it waits. */
export interface TimedBehaviour<T, P extends Pending, R, D = NoStates> {
  readonly states?: D;
  /** Handles a record that came at `at`; answers what the key waits for then, never for less long than before. */
  receive(pending: P | undefined, value: T, at: number, ctx: TimedContext<R, D>): P | undefined;
  /** The moment has come; `at` is that, or when it was noticed by the clock. Answers what the key waits for then, later than `at`. */
  fire(pending: P, at: number, ctx: TimedContext<R, D>): P | undefined;
  /** Whether the end of the input fires what is pending, or drops it. */
  readonly firesAtEnd: boolean;
}

type NoStates = Readonly<Record<never, never>>;

/** One timer of the key is set, for `armed`: at `due`, or earlier where that has moved on since. */
type Armed<P> = P & { readonly armed: number };

/**
 * The actor of an operator on time. A moment that has passed fires before the next record of its key is handled, also when its
 * timer did not yet: what the operator gives depends neither on how far the watermark is nor on how late a timer comes.
 */
export function timed<T, P extends Pending, R, D = NoStates>(
  name: string,
  clock: Clock,
  { states, receive, fire, firesAtEnd }: TimedBehaviour<T, P, R, D>,
): Op<T, R> {
  type Context = TimedContext<R, D>;
  const isEventTime = clock === 'event';

  const arm = ({ timers }: Context, pending: P): Armed<P> => {
    if (isEventTime) timers.atEventTime(pending.due);
    else timers.atProcessingTime(pending.due);
    return { ...pending, armed: pending.due };
  };

  const drop = (ctx: Context, { armed }: Armed<P>): void => {
    ctx.forget();
    if (isEventTime) ctx.timers.cancelEventTime(armed);
    else ctx.timers.cancelProcessingTime(armed);
  };

  const finish = (state: Armed<P>, ctx: Context): void => {
    const now = ctx.now();
    for (let pending: P | undefined = firesAtEnd ? state : undefined; pending !== undefined; ) {
      pending = fire(pending, isEventTime ? pending.due : Math.max(pending.due, now), ctx);
    }
    drop(ctx, state);
  };

  return actor<T, Armed<P> | undefined, R, Key | undefined, D>(name, {
    update: 'return',
    ...(states !== undefined && { states }),
    initial: () => undefined,
    receive(given, value, ctx) {
      const state = given as Armed<P> | undefined;
      const at = isEventTime ? timeOf(name, ctx.timestamp) : ctx.now();
      let pending: P | undefined = state;
      while (pending !== undefined && pending.due < at) pending = fire(pending, isEventTime ? pending.due : at, ctx);
      const next = receive(pending, value, at, ctx);
      if (next === state) return;
      if (next === undefined) {
        drop(ctx, state as Armed<P>);
        return;
      }
      if (state !== undefined) return { ...next, armed: state.armed };
      return arm(ctx, next);
    },
    onTimer(given, time, ctx, kind) {
      const state = given as Armed<P> | undefined;
      if (state === undefined) return;
      if (kind === 'event' && ctx.watermark === Number.POSITIVE_INFINITY) {
        finish(state, ctx);
        return;
      }
      // By event time no further than this timer: those of other keys come in between.
      const upTo = isEventTime ? time : Math.max(time, ctx.now());
      let pending: P | undefined = state;
      while (pending !== undefined && pending.due <= upTo)
        pending = fire(pending, isEventTime ? pending.due : upTo, ctx);
      if (pending !== undefined) return arm(ctx, pending);
      drop(ctx, state);
      return;
    },
    // Timers on the clock do not fire at the end of the input.
    onComplete(given, ctx) {
      const state = given as Armed<P> | undefined;
      if (state !== undefined) finish(state, ctx);
    },
  }) as Op<T, R>;
}

function timeOf(name: string, timestamp: number): number {
  if (!Number.isNaN(timestamp)) return timestamp;
  throw new UserCodeError(
    `"${name}" counts by the times of records, and one has none: give its source the option "timestamp", or count by the clock (time: 'processing').`,
  );
}
