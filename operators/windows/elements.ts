import {
  type ActorContext,
  type Key,
  type KeyAtom,
  type MapState,
  mapState,
  type StateKind,
  UserCodeError,
} from '../../lib/index.ts';
import type { Span } from './aggregate.ts';

/** A record of a window as an evictor sees it. */
export interface WindowElement<T> {
  readonly value: T;
  /** ms; by the time that counts for the window. `NaN` where windows count records and this one has no time. */
  readonly timestamp: number;
}

/** Answers the records of a window that count in a result, of those that are in it, before the aggregate sees them. */
export type Evictor<T> = (elements: readonly WindowElement<T>[], window: Span) => readonly WindowElement<T>[];

/** Of whole windows: each record by itself, with its time where an evictor may ask for that. */
export interface ElementStates<T, E extends KeyAtom> {
  readonly records: StateKind<MapState<E, T>>;
  readonly elements: StateKind<MapState<E, TimedRecord<T>>>;
}

type TimedRecord<T> = readonly [timestamp: number, value: T];

/** Only what is used: each state takes a moment for each record. */
export function elementStates<T, E extends KeyAtom>(isWhole: boolean, evict?: Evictor<T>): ElementStates<T, E> {
  const declared: Partial<ElementStates<T, E>> = evict
    ? { elements: mapState<E, TimedRecord<T>>() }
    : { records: mapState<E, T>() };
  return (isWhole ? declared : {}) as ElementStates<T, E>;
}

type Context<T, E extends KeyAtom> = Pick<ActorContext<unknown, Key | undefined, ElementStates<T, E>>, 'states'>;

/** The records of whole windows, each under a name. */
export interface Elements<T, E extends KeyAtom> {
  set(ctx: Context<T, E>, name: E, at: number, value: T): void;
  delete(ctx: Context<T, E>, name: E): void;
  /** Of all that there are, in the order in which they came. */
  names(ctx: Context<T, E>): readonly E[];
  /** Those of a window that count in its result. */
  counted(ctx: Context<T, E>, names: readonly E[], window: Span): readonly T[];
  /** The same; those that do not count are dropped. */
  kept(ctx: Context<T, E>, names: readonly E[], window: Span): readonly T[];
}

export function elementsOf<T, E extends KeyAtom>(evict: Evictor<T> | undefined): Elements<T, E> {
  return evict ? evicted(evict) : untouched();
}

function untouched<T, E extends KeyAtom>(): Elements<T, E> {
  const all = ({ states: { records } }: Context<T, E>, names: readonly E[]) =>
    names.map(name => records.get(name) as T);
  return {
    set: (ctx, name, _at, value) => ctx.states.records.set(name, value),
    delete: (ctx, name) => ctx.states.records.delete(name),
    names: ctx => ctx.states.records.keys(),
    counted: all,
    kept: all,
  };
}

function evicted<T, E extends KeyAtom>(evict: Evictor<T>): Elements<T, E> {
  const select = ({ states: { elements } }: Context<T, E>, names: readonly E[], window: Span) => {
    const given = names.map(name => {
      const [timestamp, value] = elements.get(name) as TimedRecord<T>;
      return { value, timestamp };
    });
    return { given, kept: verified(given, evict(given, window)) };
  };
  return {
    set: (ctx, name, at, value) => ctx.states.elements.set(name, [at, value]),
    delete: (ctx, name) => ctx.states.elements.delete(name),
    names: ctx => ctx.states.elements.keys(),
    counted: (ctx, names, window) => [...select(ctx, names, window).kept].map(({ value }) => value),
    kept(ctx, names, window) {
      const { given, kept } = select(ctx, names, window);
      given.forEach((element, i) => {
        if (!kept.has(element)) ctx.states.elements.delete(names[i] as E);
      });
      return [...kept].map(({ value }) => value);
    },
  };
}

/** What an evictor answered, which is user code's. */
function verified<T>(given: readonly WindowElement<T>[], answer: unknown): ReadonlySet<WindowElement<T>> {
  const known = new Set(given);
  if (Array.isArray(answer) && answer.every(element => known.has(element))) return new Set(answer);
  throw new UserCodeError(
    'The function "evict" of a window answered something else than an array of elements that it was given: let it answer those that count, ' +
      'as in elements => elements.filter(({ value }) => …).',
  );
}
