import type { ActorStage } from '../actor/actor-stage.ts';
import { mapKey } from '../actor/key.ts';
import type { TaskLayout } from '../checkpoint/manifest.ts';
import { MissingRepartitionError } from '../errors.ts';
import type { Key } from '../stream/elements.ts';
import type { WirableNode } from '../stream/node.ts';
import { PassStage, type Scope, type Stage } from '../stream/stage.ts';
import { sourceOwner } from './key-owner.ts';

export interface GuardedActor {
  readonly node: WirableNode;
  readonly actor: ActorStage;
  readonly layout: TaskLayout;
  readonly job: string;
}

/**
 * What stands in front of a keyed actor of one of several tasks: fails at a key whose records belong to another task, rather than
 * let two tasks each keep a part of its state. Nothing where that cannot be told, or where a `repartition` has brought keys home.
 */
export function keyGuard(scope: Scope, { node, actor, layout, job }: GuardedActor): Stage<unknown> | undefined {
  const ownerOf = sourceOwner(node, layout);
  if (!ownerOf) return undefined;
  const { index, count } = layout;
  return new KeyGuard(scope, actor, key => {
    const owner = ownerOf(key);
    if (owner === undefined || owner === index) return undefined;
    return new MissingRepartitionError(
      `The actor "${actor.name}" of the job "${job}" got the key ${JSON.stringify(key)} in task ${index} of ${count}, but by the partitions of its ` +
        `topics the records of this key belong to task ${owner}: its state would be split. Put repartition("${actor.name}") behind the keyBy ` +
        'in front of it; or, where the topic is partitioned by this key in a way of its own, say so with the option "partitionOf" of the source. ' +
        'Where partitions were added to the topic, it may be a record from before: one task (tasks: "single") can read it.',
      { context: { job, operator: actor.name, key: String(key) } },
    );
  });
}

class KeyGuard extends PassStage<unknown, unknown> {
  private readonly actor: ActorStage;
  private readonly verify: (key: Key) => MissingRepartitionError | undefined;
  private last: Key | undefined;

  constructor(scope: Scope, actor: ActorStage, verify: (key: Key) => MissingRepartitionError | undefined) {
    super(scope, actor);
    this.actor = actor;
    this.verify = verify;
  }

  next(value: unknown): void {
    const { scope } = this;
    const { key } = scope;
    // A key with state was verified when that came into being.
    if (key !== undefined && key !== this.last && !this.hasState(key)) {
      const error = this.verify(key);
      if (error) {
        scope.fail(error);
        return;
      }
      this.last = key;
    }
    this.out.next(value);
  }

  private hasState(key: Key): boolean {
    try {
      return this.actor.state.values.has(mapKey(key));
    } catch {
      // No key at all: the actor says so.
      return true;
    }
  }
}
