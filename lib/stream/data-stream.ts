import { isObservable, Observable, type Operator, type Subscriber } from 'rxjs';
import { JobDefinitionError, LiftError, NotRunningError } from '../errors.ts';
import type { Side } from '../job/handle.ts';
import type { Key, StreamElement } from './elements.ts';
import { type NativeOperator, runningGroup } from './native-group.ts';
import { lifted, nativeNode } from './native-node.ts';
import { describe, nearestWith, upstream, type WirableNode } from './node.ts';
import { loadedRxjs, verifyRxjs } from './rxjs-version.ts';
import type { Stage } from './stage.ts';
import type { Wiring } from './wiring.ts';

// The operators of another RxJS would not fail here and now: they would pass no barriers.
verifyRxjs(loadedRxjs());

/** The type of a stream's key; `undefined` while it is un-keyed. */
export type KeyOrNone = Key | undefined;

/**
 * An operator on streams that leaves the key as it is: every RxJS `OperatorFunction` is one, and ours also say which key they
 * need (`KI`).
 */
// biome-ignore lint/suspicious/noExplicitAny: `any` makes native operators fit every key type
export interface Op<T, R, KI extends KeyOrNone = any> {
  (source: Observable<T>): Observable<R>;
  /** For the compiler only. */
  readonly __ki?: Needed<KI>;
}

/** Says nothing where every key does, as native operators do: else an operator that takes any key would hide that of its input. */
type Needed<KI extends KeyOrNone> = [KeyOrNone] extends [KI] ? never : (key: KI) => void;

/** An operator on streams that gives them another key (`KO`). */
export interface KeyingOp<T, R, KI extends KeyOrNone, KO extends KeyOrNone> extends Op<T, R, KI> {
  /** For the compiler only. */
  readonly __ko: KO;
}

/** An operator in `pipe`: `KO` is what an operator gives it, else what the next one needs, else `KI`. */
interface PipedOp<T, R, KI extends KeyOrNone, KO extends KeyOrNone> {
  (source: Observable<T>): Observable<R>;
  readonly __ki?: (key: KI) => void;
  readonly __ko?: KO;
}

/**
 * One that gives no key passes on the one that it gets; so where that is none of those that the next one needs, it has to be a
 * `KeyingOp`.
 */
type Step<T, R, KI extends KeyOrNone, KO extends KeyOrNone> = PipedOp<T, R, KI, KO> &
  ([KI] extends [KO] ? unknown : { readonly __ko: KO });

/** What runs a stream outside a job; set by the task layer, which this layer does not know. */
export const detached: {
  run?: (stream: WirableNode, out: (element: StreamElement<unknown>) => void, end: Subscriber<unknown>) => () => void;
} = {};

/** The job that is being built right now: it declares its streams, so nothing may be subscribed meanwhile. */
export const building: { job: string | undefined; failure: unknown } = { job: undefined, failure: undefined };

/** The source whose plain Observable is being subscribed right now: it must not be made of streams. */
export const feeding: { source: string | undefined; failure: unknown } = { source: undefined, failure: undefined };

const brand = Symbol.for('tidemark.stream');

/** Whether `value` is a stream of Tidemark, also of another copy of the package. */
export function isDataStream(value: unknown): value is DataStream<unknown, KeyOrNone> {
  return typeof value === 'object' && value !== null && brand in value;
}

/**
 * A declared stream: an Observable of its values that opens nothing until a task runs it.
 *
 * RxJS operators apply to it as to any Observable; checkpointed ones come from `tidemark/operators`.
 */
export class DataStream<T, out K extends KeyOrNone = undefined> extends Observable<T> {
  readonly [brand] = true;
  declare readonly __key?: K;
  readonly node: WirableNode;

  constructor(node: WirableNode) {
    super(subscriber =>
      runDetached(node, subscriber, element => {
        if ('value' in element) subscriber.next(element.value as T);
      }),
    );
    this.node = node;
  }

  /** Values as records with time and key, and marks, in order. */
  get elements$(): Observable<StreamElement<T>> {
    return new Observable(subscriber =>
      runDetached(this.node, subscriber, element => subscriber.next(element as StreamElement<T>)),
    );
  }

  /**
   * The side output `tag` of the nearest actor upstream that declares it.
   *
   * Throws `JobDefinitionError` when there is none.
   */
  side<V>(tag: Side<V>): DataStream<V, K> {
    const actor = nearestWith(this.node, tag.name);
    if (!actor) {
      const known = [...new Set(upstream(this.node).flatMap(node => node.sides))];
      throw new JobDefinitionError(
        `No actor upstream of ${describe(this.node)} declares the side output "${tag.name}"` +
          (known.length ? ` (declared: ${known.join(', ')}).` : '. Name it in the actor\'s "sides".'),
      );
    }
    return new DataStream<V, K>({
      kind: 'side',
      name: tag.name,
      inputs: [actor],
      isKeyed: actor.isKeyed,
      sides: [],
      wire(wiring, out) {
        (actor as WirableNode & SideDeclaring).wireSide(wiring, tag.name, out);
      },
    });
  }

  /** RxJS 7 passes every native operator through here: `pipe`, composites made with `pipe`, and `f(stream)` alike. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const apply: NativeOperator = input => lifted(input, operator as Operator<unknown, unknown>);
    // A connectable Observable takes this method over from the stream that it was made of.
    if (!isDataStream(this)) return lifted(this, operator as Operator<unknown, unknown>) as Observable<R>;
    return new DataStream<R, K>(nativeNode(this.node, apply));
  }

  override pipe(): DataStream<T, K>;
  override pipe<A, KA extends KeyOrNone = K>(a: Step<T, A, K, KA>): DataStream<A, KA>;
  override pipe<A, B, KA extends KeyOrNone = K, KB extends KeyOrNone = KA>(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
  ): DataStream<B, KB>;
  override pipe<A, B, C, KA extends KeyOrNone = K, KB extends KeyOrNone = KA, KC extends KeyOrNone = KB>(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
  ): DataStream<C, KC>;
  override pipe<
    A,
    B,
    C,
    D,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
  >(a: Step<T, A, K, KA>, b: Step<A, B, KA, KB>, c: Step<B, C, KB, KC>, d: Step<C, D, KC, KD>): DataStream<D, KD>;
  override pipe<
    A,
    B,
    C,
    D,
    E,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
    KE extends KeyOrNone = KD,
  >(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
    d: Step<C, D, KC, KD>,
    e: Step<D, E, KD, KE>,
  ): DataStream<E, KE>;
  override pipe<
    A,
    B,
    C,
    D,
    E,
    F,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
    KE extends KeyOrNone = KD,
    KF extends KeyOrNone = KE,
  >(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
    d: Step<C, D, KC, KD>,
    e: Step<D, E, KD, KE>,
    f: Step<E, F, KE, KF>,
  ): DataStream<F, KF>;
  override pipe<
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
    KE extends KeyOrNone = KD,
    KF extends KeyOrNone = KE,
    KG extends KeyOrNone = KF,
  >(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
    d: Step<C, D, KC, KD>,
    e: Step<D, E, KD, KE>,
    f: Step<E, F, KE, KF>,
    g: Step<F, G, KF, KG>,
  ): DataStream<G, KG>;
  override pipe<
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
    KE extends KeyOrNone = KD,
    KF extends KeyOrNone = KE,
    KG extends KeyOrNone = KF,
    KH extends KeyOrNone = KG,
  >(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
    d: Step<C, D, KC, KD>,
    e: Step<D, E, KD, KE>,
    f: Step<E, F, KE, KF>,
    g: Step<F, G, KF, KG>,
    h: Step<G, H, KG, KH>,
  ): DataStream<H, KH>;
  override pipe<
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    KA extends KeyOrNone = K,
    KB extends KeyOrNone = KA,
    KC extends KeyOrNone = KB,
    KD extends KeyOrNone = KC,
    KE extends KeyOrNone = KD,
    KF extends KeyOrNone = KE,
    KG extends KeyOrNone = KF,
    KH extends KeyOrNone = KG,
    KI extends KeyOrNone = KH,
  >(
    a: Step<T, A, K, KA>,
    b: Step<A, B, KA, KB>,
    c: Step<B, C, KB, KC>,
    d: Step<C, D, KC, KD>,
    e: Step<D, E, KD, KE>,
    f: Step<E, F, KE, KF>,
    g: Step<F, G, KF, KG>,
    h: Step<G, H, KG, KH>,
    i: Step<H, I, KH, KI>,
  ): DataStream<I, KI>;
  override pipe(...operators: ((source: Observable<never>) => Observable<unknown>)[]): DataStream<unknown, KeyOrNone> {
    let stream: DataStream<unknown, KeyOrNone> = this;
    for (const operator of operators as unknown as NativeOperator[]) {
      const result = operator(stream);
      if (!isObservable(result)) {
        throw new JobDefinitionError(`An operator behind ${describe(stream.node)} answered no Observable.`);
      }
      stream = isDataStream(result) ? result : new DataStream(nativeNode(stream.node, operator));
    }
    return stream;
  }
}

interface SideDeclaring {
  wireSide(wiring: Wiring, name: string, out: Stage<unknown>): void;
}

/**
 * Whether the stream may be subscribed here. When not, the one who is to blame fails, and the subscriber is left without an
 * answer: catchError() would hide an error, retry() would come back for ever, and without a handler it would end the process.
 */
function mayRun(node: WirableNode): boolean {
  const group = runningGroup();
  if (group !== null) {
    group.refuse(
      new LiftError(
        `${group.label} subscribes another stream (${describe(node)}): barriers cannot cross there. Join streams with union() or ` +
          'connect().',
      ),
    );
    return false;
  }
  if (building.job !== undefined) {
    building.failure ??= new JobDefinitionError(
      `${describe(node)} is subscribed while the job "${building.job}" is being built. A job only declares its streams: return ` +
        'it instead.',
    );
    return false;
  }
  if (feeding.source !== undefined) {
    feeding.failure ??= new JobDefinitionError(
      `The Observable of the source "${feeding.source}" is made of a stream (${describe(node)}): barriers cannot cross there. ` +
        'Join streams with union() or connect(), without from().',
    );
    return false;
  }
  return true;
}

function runDetached(
  node: WirableNode,
  subscriber: Subscriber<unknown>,
  out: (element: StreamElement<unknown>) => void,
): (() => void) | undefined {
  if (!mayRun(node)) return;
  if (!detached.run) throw new NotRunningError('Import "tidemark" before a stream is subscribed outside a job.');
  return detached.run(node, out, subscriber);
}
