import { Observable, type Operator, type Subscriber } from 'rxjs';
import { DetachedActorError, JobDefinitionError, LiftError, NotRunningError } from '../errors.ts';
import type { Side } from '../job/handle.ts';
import type { Key, StreamElement } from './elements.ts';
import { NativeGroup, type NativeOperator, runningGroup } from './native-group.ts';
import type { WirableNode } from './node.ts';
import type { Stage } from './stage.ts';
import type { Wiring } from './wiring.ts';

/** The type of a stream's key; `undefined` while it is un-keyed. */
export type KeyOrNone = Key | undefined;

/**
 * An operator on streams: every RxJS `OperatorFunction` is one, and ours also say which key they need (`KI`) and give (`KO`).
 */
// biome-ignore lint/suspicious/noExplicitAny: `any` makes native operators fit every key type
export interface Op<T, R, KI extends KeyOrNone = any, KO extends KeyOrNone = KI> {
  (source: Observable<T>): Observable<R>;
  readonly __ki?: (key: KI) => void;
  readonly __ko?: KO;
}

/** What runs a stream outside a job; set by the task layer, which this layer does not know. */
export const detached: {
  run?: (stream: WirableNode, out: (element: StreamElement<unknown>) => void, end: Subscriber<unknown>) => () => void;
} = {};

/** What is being built or run right now: a job declares its streams, so nothing may be subscribed meanwhile. */
export const building: { job: string | undefined } = { job: undefined };

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
    super(subscriber => {
      refuseInside(node);
      return runDetached(node, subscriber, element => {
        if ('value' in element) subscriber.next(element.value as T);
      });
    });
    this.node = node;
  }

  /** Values as records with time and key, and marks, in order. */
  get elements$(): Observable<StreamElement<T>> {
    return new Observable(subscriber => {
      refuseInside(this.node);
      return runDetached(this.node, subscriber, element => subscriber.next(element as StreamElement<T>));
    });
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
    const apply = ((input: Observable<unknown>) =>
      lifted(input, operator as Operator<unknown, unknown>)) as NativeOperator;
    return new DataStream<R, K>(nativeNode(this.node, apply));
  }

  override pipe(): DataStream<T, K>;
  override pipe<A, KA extends KeyOrNone = K>(a: Op<T, A, K, KA>): DataStream<A, KA>;
  override pipe<A, B, KA extends KeyOrNone = K, KB extends KeyOrNone = KA>(
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
  ): DataStream<B, KB>;
  override pipe<A, B, C, KA extends KeyOrNone = K, KB extends KeyOrNone = KA, KC extends KeyOrNone = KB>(
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
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
  >(a: Op<T, A, K, KA>, b: Op<A, B, KA, KB>, c: Op<B, C, KB, KC>, d: Op<C, D, KC, KD>): DataStream<D, KD>;
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
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
    d: Op<C, D, KC, KD>,
    e: Op<D, E, KD, KE>,
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
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
    d: Op<C, D, KC, KD>,
    e: Op<D, E, KD, KE>,
    f: Op<E, F, KE, KF>,
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
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
    d: Op<C, D, KC, KD>,
    e: Op<D, E, KD, KE>,
    f: Op<E, F, KE, KF>,
    g: Op<F, G, KF, KG>,
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
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
    d: Op<C, D, KC, KD>,
    e: Op<D, E, KD, KE>,
    f: Op<E, F, KE, KF>,
    g: Op<F, G, KF, KG>,
    h: Op<G, H, KG, KH>,
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
    a: Op<T, A, K, KA>,
    b: Op<A, B, KA, KB>,
    c: Op<B, C, KB, KC>,
    d: Op<C, D, KC, KD>,
    e: Op<D, E, KD, KE>,
    f: Op<E, F, KE, KF>,
    g: Op<F, G, KF, KG>,
    h: Op<G, H, KG, KH>,
    i: Op<H, I, KH, KI>,
  ): DataStream<I, KI>;
  override pipe(...operators: Op<never, unknown>[]): DataStream<unknown, KeyOrNone> {
    let stream: DataStream<unknown, KeyOrNone> = this;
    for (const operator of operators as unknown as NativeOperator[]) {
      const result = operator(stream);
      stream = isDataStream(result) ? result : new DataStream(nativeNode(stream.node, operator));
    }
    return stream;
  }
}

interface SideDeclaring {
  wireSide(wiring: Wiring, name: string, out: Stage<unknown>): void;
}

interface NativeNode extends WirableNode {
  readonly apply: NativeOperator;
}

function lifted(input: Observable<unknown>, operator: Operator<unknown, unknown>): Observable<unknown> {
  const output = new Observable<unknown>();
  output.source = input;
  output.operator = operator;
  return output;
}

/** One native operator; consecutive ones that nobody else reads are wired as one group. */
function nativeNode(input: WirableNode, apply: NativeOperator): NativeNode {
  const node: NativeNode = {
    kind: 'native',
    inputs: [input],
    isKeyed: input.isKeyed,
    sides: [],
    apply,
    wire(wiring, out, id) {
      const operators = [apply];
      let base = input;
      while (base.kind === 'native' && wiring.hasOneConsumer(base)) {
        operators.unshift((base as NativeNode).apply);
        base = base.inputs[0] as WirableNode;
      }
      const group = new NativeGroup(
        wiring.scope,
        out,
        `The ${operators.length === 1 ? 'native operator' : `${operators.length} native operators`} after ${describe(base)}`,
        () => wiring.surroundings.finished(id),
      );
      if (wiring.surroundings.wasFinished(id)) group.finish();
      else group.wire(operators);
      if (group.isCompleted) wiring.onOpen(() => out.complete());
      wiring.connect(base, group);
    },
  };
  return node;
}

/** How messages call a node. */
export function describe(node: WirableNode): string {
  return node.name === undefined ? `a ${node.kind} stream` : `${node.kind} "${node.name}"`;
}

function upstream(node: WirableNode): WirableNode[] {
  const found: WirableNode[] = [];
  const queue = [node];
  const seen = new Set<WirableNode>(queue);
  for (let next = queue.shift(); next; next = queue.shift()) {
    found.push(next);
    for (const input of next.inputs) {
      if (!seen.has(input)) {
        seen.add(input);
        queue.push(input);
      }
    }
  }
  return found;
}

/** Breadth first: the nearest comes first. */
function nearestWith(node: WirableNode, tag: string): WirableNode | undefined {
  return upstream(node).find(candidate => candidate.kind === 'actor' && candidate.sides.includes(tag));
}

function refuseInside(node: WirableNode): void {
  const group = runningGroup();
  if (group !== null) {
    throw group.refuse(
      new LiftError(
        `${group.label} subscribe another stream (${describe(node)}): barriers cannot cross there. Join streams with union() or connect().`,
      ),
    );
  }
  if (building.job !== undefined) {
    throw new DetachedActorError(
      `${describe(node)} is subscribed while job "${building.job}" is being built. A job only declares its streams: return it instead.`,
    );
  }
}

function runDetached(
  node: WirableNode,
  subscriber: Subscriber<unknown>,
  out: (element: StreamElement<unknown>) => void,
): () => void {
  if (!detached.run) throw new NotRunningError('Import "tidemark" before a stream is subscribed outside a job.');
  return detached.run(node, out, subscriber);
}
