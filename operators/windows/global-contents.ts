import { type ActorContext, type Key, type MapState, mapState, type StateKind } from '../../lib/index.ts';
import type { Aggregate, Span } from './aggregate.ts';

/** `records`: of whole windows each record, by its number. */
export interface GlobalStates<T> {
  readonly records: StateKind<MapState<number, T>>;
}

/** Only where it is used: each state takes a moment for each record. */
export const globalStates = <T>(isWhole: boolean): GlobalStates<T> =>
  (isWhole ? { records: mapState<number, T>() } : {}) as GlobalStates<T>;

type Context<T> = Pick<ActorContext<unknown, Key | undefined, GlobalStates<T>>, 'states'>;

/** How the records of a global window are kept. */
export interface GlobalContents<T, A, R> {
  /** The accumulator with a record more, of which there were `seen`; none where the records are kept. */
  add(ctx: Context<T>, before: { readonly of?: A }, seen: number, value: T): { readonly of?: A };
  result(ctx: Context<T>, of: { readonly of?: A }, window: Span): R;
}

export function globalContents<T, A, R>(aggregate: Aggregate<T, A, R>): GlobalContents<T, A, R> {
  return aggregate.isWhole ? records(aggregate) : accumulator(aggregate);
}

function accumulator<T, A, R>(aggregate: Aggregate<T, A, R>): GlobalContents<T, A, R> {
  return {
    add: (_, before, _seen, value) => ({
      of: aggregate.add('of' in before ? (before.of as A) : aggregate.init(), value),
    }),
    result: (_, { of }, window) => aggregate.result(of as A, window),
  };
}

/** A record more is an entry more, and not a longer list. */
function records<T, A, R>(aggregate: Aggregate<T, A, R>): GlobalContents<T, A, R> {
  return {
    add(ctx, _, seen, value) {
      ctx.states.records.set(seen, value);
      return {};
    },
    result(ctx, _, window) {
      const { records } = ctx.states;
      return aggregate.result(records.keys().map(seen => records.get(seen)) as A, window);
    },
  };
}
