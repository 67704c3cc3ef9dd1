import { type ActorContext, firstWhere, type Key, type MapState, type StateKind } from '../../lib/index.ts';
import type { Contents } from './session-contents.ts';

/** Records of a key between which there is no gap; in ms, with its end: a record there belongs. */
export interface Session<A> {
  readonly start: number;
  readonly end: number;
  readonly of: Contents<A>;
  /** Whether it has given its result; only kept behind that for late records. */
  readonly isOver: boolean;
  /** Records since its last early result, and when the next one is due by the clock; only where there are such results. */
  readonly fresh?: number;
  readonly earlyAt?: number;
}

/** All sessions of a key but the last one, by their start. */
export interface SessionStates<A> {
  readonly earlier: StateKind<MapState<number, Session<A>>>;
}

type Context<A> = Pick<ActorContext<unknown, Key | undefined, SessionStates<A>>, 'states'>;

/**
 * The sessions of a key in order of their starts, which is that of their ends, too: they never touch. The last one, to which most
 * records belong, is the state of the key; each earlier one is an entry of its own, so that a record reads and writes its neighbours
 * only. Made anew in each handler, before that changes any.
 */
export class OpenSessions<A> {
  readonly size: number;
  readonly #starts: readonly number[];
  readonly #earlier: MapState<number, Session<A>>;
  #last: Session<A> | undefined;

  constructor(ctx: Context<A>, last: Session<A> | undefined) {
    this.#earlier = ctx.states.earlier;
    this.#starts = last === undefined ? [] : this.#earlier.sortedKeys();
    this.size = last === undefined ? 0 : this.#starts.length + 1;
    this.#last = last;
  }

  /** What the state of the key is now. */
  get last(): Session<A> | undefined {
    return this.#last;
  }

  at(index: number): Session<A> {
    return (index < this.#starts.length ? this.#earlier.get(this.#starts[index] as number) : this.#last) as Session<A>;
  }

  /** The place of the first session that begins behind a time. */
  firstBehind(time: number): number {
    const { length } = this.#starts;
    const place = firstWhere(this.#starts, start => start > time);
    return place === length && this.#last !== undefined && this.#last.start <= time ? length + 1 : place;
  }

  /** The places of those that touch a stretch of time: from the first answered to before the second. */
  touching(start: number, end: number): readonly [from: number, until: number] {
    const until = this.firstBehind(end);
    let from = until;
    while (from > 0 && this.at(from - 1).end >= start) from--;
    return [from, until];
  }

  /** Puts one session in the place of those from `from` to before `until`. */
  replace(from: number, until: number, session: Session<A>): void {
    const isLast = until === this.size;
    for (let index = from; index < Math.min(until, this.#starts.length); index++) {
      const start = this.#starts[index] as number;
      if (isLast || start !== session.start) this.#earlier.delete(start);
    }
    if (isLast) {
      if (from === until && this.#last !== undefined) this.#earlier.set(this.#last.start, this.#last);
      this.#last = session;
    } else this.#earlier.set(session.start, session);
  }

  /** The same for one that changes nothing but what is noted of it. */
  update(index: number, session: Session<A>): void {
    this.replace(index, index + 1, session);
  }

  /** Drops the first ones, of which the last session is none. */
  dropFirst(count: number): void {
    for (let index = 0; index < count; index++) this.#earlier.delete(this.#starts[index] as number);
  }
}
