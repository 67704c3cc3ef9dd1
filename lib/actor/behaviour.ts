import type { Draft } from 'immer';
import type { Side } from '../job/handle.ts';
import type { KeyOrNone } from '../stream/data-stream.ts';
import type { Key } from '../stream/elements.ts';
import type { Migration } from './migration.ts';
import type { Requests } from './requests/requests.ts';
import type { NoStateKinds, StateHandles } from './state-kind.ts';
import type { Ttl } from './ttl.ts';

/** Timers of the current key; deduplicated per key and time, part of the snapshot, set when `receive` returns. */
export interface Timers {
  /** Calls `onTimer` when the watermark reaches `time` (event time, ms); right after `receive` when it has already. */
  atEventTime(time: number): void;
  /** Calls `onTimer` when the task's clock reaches `time` (ms, as `ctx.now()` counts); an overdue one fires after a restore. */
  atProcessingTime(time: number): void;
  cancelEventTime(time: number): void;
  cancelProcessingTime(time: number): void;
}

export type TimerKind = 'event' | 'processing';

/** What `receive` and `onTimer` may do beside changing state; all of it takes effect when they return, none after a throw. */
export interface ActorContext<R, K extends KeyOrNone, D = NoStateKinds, Q = never> {
  readonly key: K;
  /** Event time of the record in ms (`NaN` when it has none); in `onTimer` the time that the timer was set for. */
  readonly timestamp: number;
  /** The last watermark in ms, `-Infinity` before the first. */
  readonly watermark: number;
  readonly timers: Timers;
  /** The states of this key that the behaviour declares in `states`. */
  readonly states: StateHandles<D>;
  /**
   * The state itself, a draft, may be emitted, or parts of it in objects and arrays of your own: they go out as they are when
   * `receive` returns. Their event time is `timestamp`, that of the record or timer when it is left out.
   */
  emit(value: R, timestamp?: number): void;
  side<V>(tag: Side<V>, value: V): void;
  /**
   * In `receive`: makes a request of the behaviour's `requests`, whose answer comes to `onAnswer`. Plain data, as state is; it must
   * not change afterwards, and is frozen.
   */
  request(value: Q): void;
  /** Drops the state of this key, `states` included. */
  forget(): void;
  /** The task's clock in ms: virtual in tests. */
  now(): number;
}

/** A record that an actor with supervision `skip` passed over. */
export interface DeadLetter {
  readonly actor: string;
  readonly key: Key | undefined;
  readonly value: unknown;
  readonly timestamp: number;
  readonly error: string;
}

/** The side output of every actor with supervision `skip`. */
export const deadLetters: Side<DeadLetter> = { name: 'dead-letters' };

/**
 * What happens when `receive` or `onTimer` throws: `restart` brings the task back from its checkpoint, `skip` sends the
 * record to the dead letters and goes on with the state before it, `reset` drops the state of that key.
 */
export type Supervision = 'restart' | 'skip' | 'reset';

export interface Behaviour<T, S, R, K extends KeyOrNone, D = NoStateKinds, Q = never, A = unknown> {
  /** `emits: type<Total>()` gives the output type; without it nothing can be emitted. */
  readonly emits?: (value: R) => void;
  /** The side outputs that it may use. */
  readonly sides?: readonly Side<unknown>[];
  /**
   * More state of a key, by name, each entry of which is stored by itself: `states: { open: mapState<string, Order>() }`, and so
   * `valueState`, `listState` and `aggregatingState`. The name ties it to what is stored.
   */
  readonly states?: D;
  /**
   * Keeps state under a finer key than the record's, such as one entry for each distinct value. Such an actor has no timers,
   * no requests and no `onComplete`.
   */
  stateKey?(value: T, key: K): Key;
  /**
   * The state of a key that has none; called again for as long as `receive` leaves it unchanged. Plain data, as snapshots
   * keep it: JSON values, undefined, bigint, Date, Map, Set, typed arrays and ArrayBuffer; instances of classes need a `codec`.
   */
  initial(key: K): S;
  /**
   * Handles one record: changes the draft in place, or returns the new state. Must not be asynchronous. Dates and typed arrays
   * are no drafts: put a changed copy in the place of one. Changed in place they fail the task, unless `NODE_ENV` is
   * `production`, where nothing looks after them and a snapshot can miss the change.
   */
  receive(state: Draft<S>, value: T, ctx: ActorContext<R, K, D, Q>): S | void;
  /**
   * Called when a timer of the key falls due. At the end of bounded input each timer that is set fires once; those that are
   * set then do not. Processing-time timers that have not fired by then do not fire any more.
   */
  onTimer?(state: Draft<S>, time: number, ctx: ActorContext<R, K, D>, kind: TimerKind): S | void;
  /** How `ctx.request` reaches the outside. */
  readonly requests?: Requests<Q, A>;
  /**
   * Called with the answer of a request, with the key and event time of the record that made it. Watermarks behind that record, and
   * the end of the input, come out after it. A request that fails for good goes to supervision instead.
   */
  onAnswer?(state: Draft<S>, answer: A, ctx: ActorContext<R, K, D>, request: Q): S | void;
  /**
   * Called for every key with state when bounded input ends, in order of the keys. The end of time is passed on after it: what it emits
   * with a time of its own is not late for what follows.
   */
  onComplete?(state: Draft<S>, ctx: ActorContext<R, K, D>): S | void;
  /** Un-keyed: `onComplete` is called with the initial state where there is none, as after an empty input. */
  readonly completesEmpty?: boolean;
  /**
   * `draft` (default): `receive` gets an Immer draft and may change it in place. `return`: it gets the frozen state itself
   * and must return a new one to change it; 5 to 8 times faster for small states.
   */
  readonly update?: 'draft' | 'return';
  /** Version of the form of all its state, `states` included, 1 at first; a higher one needs `migrate`, here or of one of `states`. */
  readonly version?: number;
  /**
   * Brings a state of an older `version`, as it was stored, to this one; called at restore for each key. A function of (state, version,
   * key) that does it at once, or steps by the version that each begins with: `{ 1: (state, key) => …, 2: … }`.
   */
  readonly migrate?: Migration<S, K>;
  /** How the state is stored, where plain values do not do; must give back what it was given. */
  readonly codec?: StateCodec<S>;
  readonly supervise?: Supervision;
  /**
   * When the state of a key expires, forever when left out: then the key begins again with `initial`. A handler that leaves the state
   * unchanged has read it, not written. What is kept in `states` expires by itself, and timers stay.
   */
  readonly ttl?: Ttl;
}

export interface StateCodec<S> {
  encode(state: S): unknown;
  decode(stored: unknown): S;
}

/** Names the type of an actor's output in `emits: type<R>()`. */
export function type<R>(): (value: R) => void {
  return () => {};
}
