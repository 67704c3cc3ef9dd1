import type { ActorContext, Key } from '../../lib/index.ts';
import type { Aggregate, Span } from './aggregate.ts';
import { type ElementStates, type Evictor, elementsOf } from './elements.ts';

/** Of whole windows each record is kept by its number. */
export type GlobalStates<T> = ElementStates<T, number>;

type Context<T> = Pick<ActorContext<unknown, Key | undefined, GlobalStates<T>>, 'states' | 'timestamp'>;

/** How the records of a global window are kept. */
export interface GlobalContents<T, A, R> {
  /** The accumulator with a record more, of which there were `seen`; none where the records are kept. */
  add(ctx: Context<T>, before: { readonly of?: A }, seen: number, value: T): { readonly of?: A };
  result(ctx: Context<T>, of: { readonly of?: A }, window: Span): R;
}

export function globalContents<T, A, R>(
  aggregate: Aggregate<T, A, R>,
  evict: Evictor<T> | undefined,
): GlobalContents<T, A, R> {
  return aggregate.isWhole ? records(aggregate, evict) : accumulator(aggregate);
}

function accumulator<T, A, R>(aggregate: Aggregate<T, A, R>): GlobalContents<T, A, R> {
  return {
    add: (_, before, _seen, value) => ({
      of: aggregate.add('of' in before ? (before.of as A) : aggregate.init(), value),
    }),
    result: (_, { of }, window) => aggregate.result(of as A, window),
  };
}

/** A record more is an entry more, and not a longer list. The window has no end, so what an evictor leaves out goes for good. */
function records<T, A, R>(aggregate: Aggregate<T, A, R>, evict: Evictor<T> | undefined): GlobalContents<T, A, R> {
  const elements = elementsOf<T, number>(evict);
  return {
    add(ctx, _, seen, value) {
      elements.set(ctx, seen, ctx.timestamp, value);
      return {};
    },
    result: (ctx, _, window) => aggregate.result(elements.kept(ctx, elements.names(ctx), window) as A, window),
  };
}
