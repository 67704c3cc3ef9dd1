import { type ActorContext, type Behaviour, type Key, mapState, UserCodeError } from '../../lib/index.ts';
import type { Aggregate } from './aggregate.ts';
import { type ElementStates, elementStates } from './elements.ts';
import { OpenSessions, type Session, type SessionStates } from './open-sessions.ts';
import { timeless, type WindowResult, type WindowSettings } from './options.ts';
import { sessionContents } from './session-contents.ts';

/**
 * What session windows do. A session is over when the watermark, or the clock, has reached its end: until then a record may come
 * that is exactly the gap behind its last one, and belongs. A key's sessions never touch: a record that touches several makes one
 * of them. A session has one timer, set when it begins, that is set again when the session has grown meanwhile: a record sets none.
 */
export function sessionWindows<T, A, R>(
  name: string,
  gapOf: (value: T) => number,
  aggregate: Aggregate<T, A, R>,
  { time = 'event', latenessMs, late, early, evict }: WindowSettings<T>,
): Behaviour<T, Session<A> | undefined, WindowResult<R>, Key | undefined, SessionStates<A> & ElementStates<T, string>> {
  type Context = ActorContext<WindowResult<R>, Key | undefined, SessionStates<A> & ElementStates<T, string>>;
  const isEventTime = time === 'event';
  const contents = sessionContents(aggregate, evict);

  const setTimer = (ctx: Context, at: number): void => {
    if (isEventTime) ctx.timers.atEventTime(at);
    else ctx.timers.atProcessingTime(at);
  };

  const emit = (ctx: Context, { start, end, of }: Session<A>, isEarly?: true): void => {
    const window = { key: ctx.key, start, end };
    ctx.emit({ ...window, value: contents.result(ctx, of, window), ...(isEarly && { isEarly }) }, end);
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

  /** The early results that are due by the clock, of sessions that are not over. */
  const emitEarly = (ctx: Context, sessions: OpenSessions<A>, now: number): void => {
    for (let index = 0; index < sessions.size; index++) {
      const { earlyAt, fresh, ...session } = sessions.at(index);
      if (earlyAt === undefined || earlyAt > now) continue;
      if (!session.isOver) emit(ctx, session, true);
      sessions.update(index, session);
    }
  };

  const emitAll = (ctx: Context, sessions: OpenSessions<A>): void => {
    for (let index = 0; index < sessions.size; index++) {
      const session = sessions.at(index);
      if (!session.isOver) emit(ctx, session);
    }
    ctx.forget();
  };

  /** Gives the result of the session that ends at `at`, or the timer of the one that has grown beyond. */
  const settle = (ctx: Context, sessions: OpenSessions<A>, at: number): void => {
    const index = sessions.firstBehind(at) - 1;
    if (index < 0) return;
    const session = sessions.at(index);
    if (session.end > at) setTimer(ctx, session.end);
    else if (!session.isOver) {
      emit(ctx, session);
      if (latenessMs > 0) setTimer(ctx, session.end + latenessMs);
      sessions.update(index, { ...session, isOver: true });
    }
  };

  /** Drops the sessions that no record can change any more. */
  const tidy = (ctx: Context, sessions: OpenSessions<A>, at: number): void => {
    let gone = 0;
    for (; gone < sessions.size; gone++) {
      const session = sessions.at(gone);
      if (!session.isOver || session.end + latenessMs > at) break;
      contents.drop(ctx, session.of);
    }
    if (gone === sessions.size) ctx.forget();
    else sessions.dropFirst(gone);
  };

  return {
    update: 'return',
    ...(late && { sides: [late] }),
    states: { earlier: mapState<number, Session<A>>(), ...elementStates<T, string>(aggregate.isWhole === true, evict) },
    initial: () => undefined,
    receive(state, value, ctx) {
      const last = state as Session<A> | undefined;
      const at = isEventTime ? ctx.timestamp : ctx.now();
      if (Number.isNaN(at)) throw timeless(name);
      const end = at + gapOf(value);
      const now = isEventTime ? ctx.watermark : at;
      if (!early && last !== undefined && !last.isOver && last.start <= at && at <= last.end) {
        const grown = Math.max(last.end, end);
        // The rule: the last session, that goes on.
        if (grown > now) {
          return { start: last.start, end: grown, of: contents.add(ctx, last.of, at, value), isOver: false };
        }
      }
      const sessions = new OpenSessions(ctx, last);
      const [from, until] = sessions.touching(at, end);
      const touching = Array.from({ length: until - from }, (_, i) => sessions.at(from + i));
      const start = Math.min(at, touching[0]?.start ?? at);
      const mergedEnd = Math.max(end, touching.at(-1)?.end ?? end);
      // Behind the end of time, which what is emitted at completion has, no session can end.
      if (at === Number.POSITIVE_INFINITY || mergedEnd + latenessMs <= now) {
        if (late) ctx.side(late, value);
        return last;
      }
      if (touching.length === 0 || touching.some(({ isOver }) => isOver)) setTimer(ctx, mergedEnd);
      const [first, ...others] = touching.map(({ of }) => of);
      const before = first === undefined ? undefined : others.reduce(contents.merge, first);
      const session = { start, end: mergedEnd, of: contents.add(ctx, before, at, value), isOver: false };
      sessions.replace(from, until, noticed(ctx, session, touching));
      return sessions.last;
    },
    onTimer(state, at, ctx, kind) {
      const sessions = new OpenSessions(ctx, state as Session<A> | undefined);
      if (kind === 'processing' && isEventTime) emitEarly(ctx, sessions, at);
      // At the end of the input no later timer will fire.
      else if (isEventTime && ctx.watermark === Number.POSITIVE_INFINITY) emitAll(ctx, sessions);
      else {
        settle(ctx, sessions, at);
        if (early && !isEventTime) emitEarly(ctx, sessions, at);
        tidy(ctx, sessions, at);
      }
      return sessions.last;
    },
    ...(!isEventTime && {
      onComplete(last: unknown, ctx: Context) {
        emitAll(ctx, new OpenSessions(ctx, last as Session<A> | undefined));
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
