import { map } from 'rxjs';
import {
  type ActorContext,
  actor,
  type Behaviour,
  type DataStream,
  JobDefinitionError,
  type Key,
  type KeyOrNone,
  rekey,
} from '../lib/index.ts';
import { union } from './union.ts';

/** What `receive` of a broadcast may do. */
export type BroadcastContext<O, K extends KeyOrNone> = Pick<
  ActorContext<O, K>,
  'key' | 'timestamp' | 'watermark' | 'emit' | 'now'
>;

export interface BroadcastBehaviour<T, U, S, O, K extends KeyOrNone>
  extends Pick<Behaviour<T, S, O, undefined>, 'emits' | 'version' | 'migrate' | 'codec' | 'supervise'> {
  /** The rules as they are before the first one comes. */
  initial(): S;
  /** Takes in a record of the rules' stream: returns the new rules, and leaves the old ones as they are. */
  rule(rules: S, rule: U): S;
  /** Handles a record of the other stream with the rules as they are now, which it only reads. */
  receive(rules: S, value: T, ctx: BroadcastContext<O, K>): void;
}

/**
 * Handles each record of a stream, whatever its key, with the same rules, which come on a stream of their own without a key.
 *
 *     stream  -a---b-B-c-----|      rules replace one another; B is a barrier
 *     rules   ---r---B---s---|
 *     out     -x---y-B-z-----|      x: a with the initial rules, y: b with r, z: c with r
 *
 * A record meets the rules that have come until then: nothing makes it wait for others, also not at the start.
 *
 * Emits when `receive` does, with the record's key. State: the rules, one for all keys of a task, which a checkpoint holds as a
 * whole when they have changed. For state by key, put another actor behind it.
 * Fails when `rule` or `receive` throws; what happens then is the actor's supervision.
 * Completes when both inputs have.
 */
export function broadcast<T, U, S, O = never, const K extends KeyOrNone = KeyOrNone>(
  name: string,
  stream: DataStream<T, K>,
  rules: DataStream<U, undefined>,
  behaviour: BroadcastBehaviour<T, U, S, O, K>,
): DataStream<O, K> {
  const { emits: _, initial, rule, receive, ...others } = behaviour;
  if (typeof initial !== 'function' || typeof rule !== 'function' || typeof receive !== 'function') {
    throw new JobDefinitionError(
      `broadcast("${name}", …) takes initial(), rule(rules, rule) and receive(rules, value, ctx).`,
    );
  }
  if (rules.node.isKeyed) {
    throw new JobDefinitionError(
      `broadcast("${name}", …) takes rules without a key, as they are for all: leave keyBy() away, or join by key with connect().`,
    );
  }
  const both = union(
    stream.pipe(map((value): FromEither<T, U> => ({ input: 'stream', value }))),
    rules.pipe(map((value): FromEither<T, U> => ({ input: 'rules', value }))),
  ) as DataStream<FromEither<T, U>, undefined>;
  // Un-keyed, as one of its inputs is: its state is one for all. The key of a record is there all the same, and goes out with it.
  const out = both.pipe(
    actor<FromEither<T, U>, S, WithKey<O>, undefined>(name, {
      ...others,
      update: 'return',
      initial,
      receive(state, record, ctx) {
        if (record.input === 'rules') return rule(state as S, record.value);
        const key = ctx.key as unknown as K;
        receive(state as S, record.value, {
          key,
          timestamp: ctx.timestamp,
          watermark: ctx.watermark,
          emit: (value, timestamp) => ctx.emit({ key, value }, timestamp),
          now: ctx.now,
        });
        return;
      },
    }),
  ) as DataStream<WithKey<O>, undefined>;
  const keyed: DataStream<WithKey<O>, KeyOrNone> = stream.node.isKeyed
    ? out.pipe(rekey((pair: WithKey<O>) => pair.key as Key))
    : out;
  return keyed.pipe(map(({ value }: WithKey<O>) => value)) as unknown as DataStream<O, K>;
}

type FromEither<T, U> =
  | { readonly input: 'stream'; readonly value: T }
  | { readonly input: 'rules'; readonly value: U };

interface WithKey<O> {
  readonly key: KeyOrNone;
  readonly value: O;
}
