import { type ActorContext, type Key, type MapState, mapState, type StateKind } from '../../lib/index.ts';
import type { Aggregate, Span } from './aggregate.ts';
import { type ElementStates, type Evictor, elementStates, elementsOf } from './elements.ts';

/**
 * `panes`: an accumulator for each; of whole windows how many records it has, which then are kept by themselves. `fresh`: how many
 * records of a pane have come since the last early result.
 */
export interface PaneStates<T, A> extends ElementStates<T, string> {
  readonly panes: StateKind<MapState<number, A | number>>;
  readonly fresh: StateKind<MapState<number, number>>;
}

/** Only the kinds that are used: each takes a moment for each record. */
export function paneStates<T, A>(isWhole: boolean, hasEarly: boolean, evict?: Evictor<T>): PaneStates<T, A> {
  return {
    panes: mapState<number, A | number>(),
    ...elementStates<T, string>(isWhole, evict),
    ...(hasEarly && { fresh: mapState<number, number>() }),
  } as PaneStates<T, A>;
}

type Context<T, A> = Pick<ActorContext<unknown, Key | undefined, PaneStates<T, A>>, 'states'>;

/** How the records of a pane are kept. */
export interface PaneStore<T, A, R> {
  /** Answers whether the pane is new; `at` is the time of the record. */
  add(ctx: Context<T, A>, pane: number, at: number, value: T): boolean;
  /** Of the panes of the window that there are; `undefined` where there is none. */
  result(ctx: Context<T, A>, window: Span): { readonly value: R } | undefined;
  drop(ctx: Context<T, A>, pane: number): void;
}

export function paneStore<T, A, R>(aggregate: Aggregate<T, A, R>, evict?: Evictor<T>): PaneStore<T, A, R> {
  return aggregate.isWhole ? records(aggregate, evict) : accumulators(aggregate);
}

function accumulators<T, A, R>(aggregate: Aggregate<T, A, R>): PaneStore<T, A, R> {
  return {
    add(ctx, pane, _at, value) {
      const { panes } = ctx.states;
      const before = panes.get(pane) as A | undefined;
      const after = aggregate.add(before === undefined ? aggregate.init() : before, value);
      // A record that is no new maximum, for instance, has changed nothing that a snapshot would have to store.
      if (after !== before) panes.set(pane, after);
      return before === undefined;
    },
    result(ctx, window) {
      const panes = ctx.states.panes.valuesBetween(window.start, window.end) as readonly A[];
      if (panes.length === 0) return undefined;
      let merged = panes[0] as A;
      for (let i = 1; i < panes.length; i++) merged = aggregate.merge(merged, panes[i] as A);
      return { value: aggregate.result(merged, window) };
    },
    drop: (ctx, pane) => void ctx.states.panes.delete(pane),
  };
}

/** A record more is an entry more, and not a longer list. */
function records<T, A, R>(aggregate: Aggregate<T, A, R>, evict: Evictor<T> | undefined): PaneStore<T, A, R> {
  const elements = elementsOf<T, string>(evict);
  const keyOf = (pane: number, at: number): string => `${pane}:${at}`;
  const sizeOf = (ctx: Context<T, A>, pane: number): number => (ctx.states.panes.get(pane) as number | undefined) ?? 0;
  return {
    add(ctx, pane, at, value) {
      const size = sizeOf(ctx, pane);
      elements.set(ctx, keyOf(pane, size), at, value);
      ctx.states.panes.set(pane, size + 1);
      return size === 0;
    },
    result(ctx, window) {
      const names: string[] = [];
      for (const pane of ctx.states.panes.keysBetween(window.start, window.end)) {
        const size = sizeOf(ctx, pane);
        for (let at = 0; at < size; at++) names.push(keyOf(pane, at));
      }
      if (names.length === 0) return undefined;
      return { value: aggregate.result(elements.counted(ctx, names, window) as A, window) };
    },
    drop(ctx, pane) {
      const size = sizeOf(ctx, pane);
      for (let at = 0; at < size; at++) elements.delete(ctx, keyOf(pane, at));
      ctx.states.panes.delete(pane);
    },
  };
}
