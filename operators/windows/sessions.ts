import type { ActorContext, Behaviour, Key } from '../../lib/index.ts';
import { UserCodeError } from '../../lib/index.ts';
import type { Aggregate } from './aggregate.ts';
import { timeless, type WindowResult, type WindowSettings } from './options.ts';

/** Records of a key between which there is no gap; in ms, with its end: a record there belongs. */
interface Session<A> {
  readonly start: number;
  readonly end: number;
  readonly of: A;
  /** Whether it has given its result; only kept behind that for late records. */
  readonly isOver: boolean;
  /** Records since its last early result, and when the next one is due by the clock; only where there are such results. */
  readonly fresh?: number;
  readonly earlyAt?: number;
}

/**
 * What session windows do. A session is over when the watermark, or the clock, has reached its end: until then a record may come
 * that is exactly the gap behind its last one, and belongs. A key's sessions never touch: a record that touches several makes one
 * of them. A session has one timer, set when it begins, that is set again when the session has grown meanwhile: a record sets none.
 */
export function sessionWindows<T, A, R>(
  name: string,
  gapOf: (value: T) => number,
  aggregate: Aggregate<T, A, R>,
  { time = 'event', latenessMs, late, early }: WindowSettings<T>,
): Behaviour<T, readonly Session<A>[], WindowResult<R>, Key | undefined> {
  type Context = ActorContext<WindowResult<R>, Key | undefined>;
  const isEventTime = time === 'event';

  const setTimer = (ctx: Context, at: number): void => {
    if (isEventTime) ctx.timers.atEventTime(at);
    else ctx.timers.atProcessingTime(at);
  };

  const emit = (ctx: Context, { start, end, of }: Session<A>, isEarly?: true): void => {
    const window = { key: ctx.key, start, end };
    ctx.emit({ ...window, value: aggregate.result(of, window), ...(isEarly && { isEarly }) }, end);
  };

  /** The session with the early result given, or counted and the clock set for it. */
  const noticed = (ctx: Context, session: Session<A>, joined: readonly Session<A>[]): Session<A> => {
    if (!early || session.end <= (isEventTime ? ctx.watermark : ctx.now())) return session;
    const fresh = joined.reduce((sum, one) => sum + (one.fresh ?? 0), 1);
    if (fresh >= early.records) {
      emit(ctx, session, true);
      return session;
    }
    if (early.everyMs === Number.POSITIVE_INFINITY) return { ...session, fresh };
    let earlyAt = Math.min(...joined.map(one => one.earlyAt ?? Number.POSITIVE_INFINITY));
    if (earlyAt === Number.POSITIVE_INFINITY) {
      earlyAt = ctx.now() + early.everyMs;
      ctx.timers.atProcessingTime(earlyAt);
    }
    return { ...session, fresh, earlyAt };
  };

  const emitEarly = (ctx: Context, session: Session<A>, now: number): Session<A> => {
    const { earlyAt, fresh, ...others } = session;
    if (earlyAt === undefined || earlyAt > now) return session;
    if (!session.isOver) emit(ctx, session, true);
    return others;
  };

  return {
    update: 'return',
    ...(late && { sides: [late] }),
    initial: () => [],
    receive(state, value, ctx) {
      const sessions = state as readonly Session<A>[];
      const at = isEventTime ? ctx.timestamp : ctx.now();
      if (Number.isNaN(at)) throw timeless(name);
      const end = at + gapOf(value);
      const now = isEventTime ? ctx.watermark : at;
      const only = sessions[0];
      if (!early && sessions.length === 1 && only && !only.isOver && only.start <= end && at <= only.end) {
        const [start, last] = [Math.min(only.start, at), Math.max(only.end, end)];
        // The rule: one session, that goes on.
        if (last > now) return [{ start, end: last, of: aggregate.add(only.of, value), isOver: false }];
      }
      const touching = sessions.filter(session => session.start <= end && at <= session.end);
      const merged = touching.reduce(
        (all, { start, end, of }) => ({
          start: Math.min(all.start, start),
          end: Math.max(all.end, end),
          of: all.of === undefined ? { is: of } : { is: aggregate.merge(all.of.is, of) },
        }),
        { start: at, end, of: undefined as { readonly is: A } | undefined },
      );
      // Behind the end of time, which what is emitted at completion has, no session can end.
      if (at === Number.POSITIVE_INFINITY || merged.end + latenessMs <= now) {
        if (late) ctx.side(late, value);
        if (sessions.length === 0) ctx.forget();
        return sessions;
      }
      if (touching.length === 0 || touching.some(({ isOver }) => isOver)) setTimer(ctx, merged.end);
      const before = merged.of === undefined ? aggregate.init() : merged.of.is;
      const session = { start: merged.start, end: merged.end, of: aggregate.add(before, value), isOver: false };
      const others = touching.length === 0 ? sessions : sessions.filter(session => !touching.includes(session));
      return [...others, noticed(ctx, session, touching)].sort((a, b) => a.start - b.start);
    },
    onTimer(state, at, ctx, kind) {
      const sessions = state as readonly Session<A>[];
      if (kind === 'processing' && isEventTime) return sessions.map(session => emitEarly(ctx, session, at));
      // At the end of the input no later timer will fire.
      const upTo = isEventTime && ctx.watermark === Number.POSITIVE_INFINITY ? ctx.watermark : at;
      const left: Session<A>[] = [];
      for (const session of sessions) {
        if (session.end <= upTo && !session.isOver) emit(ctx, session);
        if (session.end + latenessMs <= upTo) continue;
        setTimer(ctx, session.end <= upTo ? session.end + latenessMs : session.end);
        if (session.end <= upTo) left.push({ ...session, isOver: true });
        else left.push(early && !isEventTime ? emitEarly(ctx, session, at) : session);
      }
      if (left.length === 0) ctx.forget();
      return left;
    },
    ...(!isEventTime && {
      onComplete(sessions: unknown, ctx: Context) {
        for (const session of sessions as readonly Session<A>[]) emit(ctx, session);
        ctx.forget();
      },
    }),
  };
}

/** The gap that a function selects, checked: it is user code's answer. */
export function gapSelector<T>(name: string, gap: (value: T) => number): (value: T) => number {
  return value => {
    const ms = gap(value);
    if (Number.isInteger(ms) && ms > 0) return ms;
    throw new UserCodeError(
      `The function "gap" of ${name} answered ${String(ms)}, which is no whole number of ms above 0.`,
    );
  };
}
