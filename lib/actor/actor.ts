import type { Observable } from 'rxjs';
import { JobDefinitionError } from '../errors.ts';
import { DataStream, type KeyOrNone, type Op } from '../stream/data-stream.ts';
import { streamOf } from '../stream/from.ts';
import type { WirableNode } from '../stream/node.ts';
import type { Stage } from '../stream/stage.ts';
import type { Wiring } from '../stream/wiring.ts';
import { ActorStage } from './actor-stage.ts';
import { type Behaviour, deadLetters } from './behaviour.ts';
import { verifyMigration } from './migration.ts';
import { isStateKind } from './state-handles.ts';
import { kindFunction, type NoStateKinds, type StateKinds } from './state-kind.ts';
import { lifetimeOf } from './ttl.ts';

/** The node of an actor, with what its side outputs need. */
export interface ActorNode extends WirableNode {
  readonly name: string;
  readonly supervise: string;
  wireSide(wiring: Wiring, name: string, out: Stage<unknown>): void;
}

/**
 * A stateful operator: immutable state per key, one message at a time, checkpointed at every barrier.
 *
 * The name ties the state to the actor for life and is unique in a job.
 */
export function actor<T, S, R = never, K extends KeyOrNone = KeyOrNone, D = NoStateKinds, Q = never, A = unknown>(
  name: string,
  behaviour: Behaviour<T, S, R, K, D, Q, A>,
): Op<T, R, K> {
  verify(name, behaviour as Behaviour<unknown, unknown, unknown, KeyOrNone>);
  return ((source: Observable<T>) => {
    const input = streamOf(source, `The actor "${name}"`).node;
    return new DataStream<R, K>(actorNode(name, behaviour as Behaviour<unknown, unknown, unknown, KeyOrNone>, input));
  }) as Op<T, R, K>;
}

function actorNode(
  name: string,
  behaviour: Behaviour<unknown, unknown, unknown, KeyOrNone>,
  input: WirableNode,
): ActorNode {
  const supervise = behaviour.supervise ?? 'restart';
  const sides = (behaviour.sides ?? []).map(tag => tag.name);
  const stageIn = (wiring: Wiring): ActorStage =>
    wiring.stageOf(node, () => {
      const stage = new ActorStage(name, behaviour, input.isKeyed, wiring.scope, wiring.surroundings);
      wiring.surroundings.actor(stage, wiring.idOf(node));
      if (stage.makesRequests) wiring.onOpen(() => stage.resumeRequests());
      const guard = input.isKeyed ? wiring.surroundings.keyGuard?.(node, stage) : undefined;
      wiring.connect(input, guard ?? stage);
      return stage;
    });
  const node: ActorNode = {
    kind: 'actor',
    name,
    supervise,
    inputs: [input],
    isKeyed: input.isKeyed,
    sides: supervise === 'skip' ? [...sides, deadLetters.name] : sides,
    wire(wiring, out) {
      stageIn(wiring).out = out;
    },
    wireSide(wiring, side, out) {
      stageIn(wiring).addSide(side, out);
    },
  };
  return node;
}

function verify(name: string, behaviour: Behaviour<unknown, unknown, unknown, KeyOrNone>): void {
  if (typeof name !== 'string' || name === '') {
    throw new JobDefinitionError(
      'A stateful operator takes its name first, such as scan("total", …): the name ties its state to it for life.',
    );
  }
  if (behaviour.stateKey && (behaviour.onTimer || behaviour.onComplete)) {
    throw new JobDefinitionError(`The actor "${name}" has a stateKey, so it can have neither onTimer nor onComplete.`);
  }
  if (behaviour.stateKey && behaviour.states) {
    throw new JobDefinitionError(
      `The actor "${name}" has a stateKey, so it cannot have states beside: they belong to the stream's key.`,
    );
  }
  if (behaviour.stateKey && behaviour.requests) {
    throw new JobDefinitionError(
      `The actor "${name}" has a stateKey, so it cannot make requests: their answers belong to the stream's key.`,
    );
  }
  if ((behaviour.requests === undefined) !== (behaviour.onAnswer === undefined)) {
    throw new JobDefinitionError(
      `The actor "${name}" needs both "requests", which reaches the outside, and "onAnswer", which takes what comes of it.`,
    );
  }
  for (const [state, declared] of Object.entries(behaviour.states ?? {})) {
    if (isStateKind(declared)) continue;
    throw new JobDefinitionError(
      `The actor "${name}" declares the state "${state}" as something else than a state: use mapState(), valueState(), listState() or aggregatingState(…).`,
    );
  }
  lifetimeOf(`The actor "${name}"`, behaviour.ttl);
  const { version = 1 } = behaviour;
  if (!Number.isInteger(version) || version < 1) {
    throw new JobDefinitionError(`The version of the actor "${name}" is ${version}: it must be a whole number from 1.`);
  }
  verifyMigration(`The actor "${name}"`, behaviour.migrate, version);
  for (const [state, { kind, migrate }] of Object.entries((behaviour.states ?? {}) as StateKinds)) {
    verifyMigration(`The ${kindFunction(kind)} "${state}" of the actor "${name}"`, migrate, version);
  }
}
