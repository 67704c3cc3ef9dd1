import {
  type CommitPoint,
  type CommitPointContext,
  type CommitPointResolver,
  type ExternalCommitPoint,
  storeCommitPoint,
} from '../checkpoint/commit-point.ts';
import type { CommitPointIdentity } from '../checkpoint/manifest.ts';
import { externalCommitPoint, type RecoveryOptions } from '../checkpoint/recovery.ts';
import type { TaskStore } from '../checkpoint/snapshot-store.ts';
import { JobDefinitionError } from '../errors.ts';
import { isSink, type SinkNode } from '../stream/end.ts';
import type { SourceNode } from '../stream/from.ts';
import type { WirableNode } from '../stream/node.ts';
import type { Sink } from './sink.ts';

/** The sinks of a graph that bring their own commit point; throws `JobDefinitionError` where two of them want different ones. */
export function decidingSinks(job: string, nodes: readonly WirableNode[]): readonly Sink<unknown>[] {
  const deciding = sinksOf(nodes).filter(({ commitsIn }) => commitsIn !== undefined);
  const [first] = deciding;
  const other = deciding.find(({ commitsWith }) => commitsWith !== first?.commitsWith);
  if (!first || !other) return deciding;
  throw new JobDefinitionError(
    `The job "${job}" cannot run: one place decides whether a checkpoint counts, but the exactly-once sink "${first.name}" ` +
      `commits with ${first.commitsWith} and "${other.name}" with ${other.commitsWith}. Write both to the same cluster ` +
      '(with the same brokers in their options), or give one of them the guarantee at-least-once.',
    { context: { job, sink: other.name } },
  );
}

/** What decides about the checkpoints of a task: what its sinks bring, else `byDefault`, else the store. */
export function chosenCommitPoint(
  nodes: readonly WirableNode[],
  store: TaskStore,
  context: CommitPointContext,
  recovery: Pick<RecoveryOptions, 'choices' | 'asksForToken'> & {
    readonly previousCommitPoint?: CommitPointResolver | undefined;
  },
  byDefault?: CommitPoint,
): CommitPoint {
  const { job, task, logger } = context;
  const options: RecoveryOptions = {
    ref: { job, task },
    choices: recovery.choices,
    asksForToken: () => recovery.asksForToken?.(),
    logger,
    previous: identity => resolved(identity, context, [recovery.previousCommitPoint, ...resolversOf(nodes)]),
  };
  const [sink] = decidingSinks(job, nodes);
  const external = sink?.commitsIn?.(context);
  if (external) return externalCommitPoint(store, external, options);
  return byDefault ?? storeCommitPoint(store, options);
}

async function resolved(
  identity: CommitPointIdentity,
  context: CommitPointContext,
  resolvers: readonly (CommitPointResolver | undefined)[],
): Promise<ExternalCommitPoint | undefined> {
  for (const resolver of resolvers) {
    const found = await resolver?.resolve(identity, context);
    if (found) return found;
  }
  return undefined;
}

const sinksOf = (nodes: readonly WirableNode[]): Sink<unknown>[] =>
  nodes
    .filter(({ kind }) => kind === 'sink')
    .map(node => (node as SinkNode).target)
    .filter(isSink);

/** Connectors that may know a commit point that decided earlier: they are on its cluster. */
function resolversOf(nodes: readonly WirableNode[]): (CommitPointResolver | undefined)[] {
  const sources = nodes.filter(({ kind }) => kind === 'source').map(node => (node as SourceNode).source);
  return [...sinksOf(nodes), ...sources].map(({ commitPoints }) => commitPoints);
}
