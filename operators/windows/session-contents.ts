import type { ActorContext, Key } from '../../lib/index.ts';
import type { Aggregate, Span } from './aggregate.ts';
import { type ElementStates, type Evictor, elementsOf } from './elements.ts';

/** Some records of a session of whole windows, which are numbered: the time of the first that came, and how many there are. */
type Part = readonly [id: number, size: number];

/** What a session keeps of its records: an accumulator, or where they stand. */
export type Contents<A> = A | readonly Part[];

type Context<T> = Pick<ActorContext<unknown, Key | undefined, ElementStates<T, string>>, 'states'>;

/** How the records of sessions are kept. */
export interface SessionContents<T, A, R> {
  /** With a record more, which came at a time; `undefined` is a session that has none yet. */
  add(ctx: Context<T>, before: Contents<A> | undefined, at: number, value: T): Contents<A>;
  /** Of two sessions that grow together, the earlier one first. */
  merge(earlier: Contents<A>, later: Contents<A>): Contents<A>;
  result(ctx: Context<T>, of: Contents<A>, window: Span): R;
  drop(ctx: Context<T>, of: Contents<A>): void;
}

export function sessionContents<T, A, R>(
  aggregate: Aggregate<T, A, R>,
  evict: Evictor<T> | undefined,
): SessionContents<T, A, R> {
  return aggregate.isWhole ? records(aggregate, evict) : accumulators(aggregate);
}

function accumulators<T, A, R>(aggregate: Aggregate<T, A, R>): SessionContents<T, A, R> {
  return {
    add: (_, before, _at, value) => aggregate.add(before === undefined ? aggregate.init() : (before as A), value),
    merge: (earlier, later) => aggregate.merge(earlier as A, later as A),
    result: (_, of, window) => aggregate.result(of as A, window),
    drop: () => {},
  };
}

/**
 * A record more is an entry more, and not a longer list; sessions that grow together leave them where they are. No two parts have
 * one time: a record of the time of another belongs to the session of that, and begins none.
 */
function records<T, A, R>(aggregate: Aggregate<T, A, R>, evict: Evictor<T> | undefined): SessionContents<T, A, R> {
  const elements = elementsOf<T, string>(evict);
  const keyOf = (id: number, at: number): string => `${id}:${at}`;
  return {
    add(ctx, before, at, value) {
      const parts = (before ?? [[at, 0]]) as readonly Part[];
      const [id, size] = parts.at(-1) as Part;
      elements.set(ctx, keyOf(id, size), at, value);
      return [...parts.slice(0, -1), [id, size + 1]];
    },
    merge: (earlier, later) => [...(earlier as readonly Part[]), ...(later as readonly Part[])],
    result(ctx, of, window) {
      const names: string[] = [];
      for (const [id, size] of of as readonly Part[]) {
        for (let at = 0; at < size; at++) names.push(keyOf(id, at));
      }
      return aggregate.result(elements.counted(ctx, names, window) as A, window);
    },
    drop(ctx, of) {
      for (const [id, size] of of as readonly Part[]) {
        for (let at = 0; at < size; at++) elements.delete(ctx, keyOf(id, at));
      }
    },
  };
}
