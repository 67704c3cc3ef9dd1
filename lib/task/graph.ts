import type { ActorNode } from '../actor/actor.ts';
import { deadLetters } from '../actor/behaviour.ts';
import { JobDefinitionError } from '../errors.ts';
import type { SinkNode } from '../stream/end.ts';
import type { SourceNode } from '../stream/from.ts';
import { describe, type WirableNode } from '../stream/node.ts';

/** Everything that is wrong with a job's graph before it runs, one sentence each. */
export function graphProblems(nodes: readonly WirableNode[]): string[] {
  const problems: string[] = [];
  const named = {
    source: new Set<string>(),
    actor: new Set<string>(),
    sink: new Set<string>(),
    repartition: new Set<string>(),
  };
  for (const node of nodes) {
    if (!(node.kind in named)) continue;
    const names = named[node.kind as keyof typeof named];
    const name = node.name as string;
    if (names.has(name)) {
      const remedy =
        node.kind === 'actor'
          ? 'its name ties its state to it, so give each its own'
          : node.kind === 'repartition'
            ? 'its name is that of the topic between the tasks, so give each its own'
            : `give each its own with the option "name"`;
      problems.push(`Two ${node.kind}s are named "${name}": ${remedy}.`);
    }
    names.add(name);
    if (node.kind === 'actor' && (node as ActorNode).supervise === 'skip' && !readsDeadLetters(nodes, node)) {
      problems.push(
        `The actor "${name}" skips records that fail, but nothing reads its dead letters: add .side(deadLetters) behind it, ` +
          'with a sink, to the streams of the job.',
      );
    }
  }
  if (!nodes.some(node => node.kind === 'source')) problems.push('The job has no source: begin a stream with from(…).');
  return problems;
}

function readsDeadLetters(nodes: readonly WirableNode[], actor: WirableNode): boolean {
  return nodes.some(node => node.kind === 'side' && node.name === deadLetters.name && node.inputs[0] === actor);
}

/** Throws one `JobDefinitionError` with all problems. */
export function verifyGraph(job: string, nodes: readonly WirableNode[]): void {
  const problems = graphProblems(nodes);
  if (problems.length === 0) return;
  throw new JobDefinitionError(
    `The job "${job}" cannot run:\n${problems.map(problem => `  - ${problem}`).join('\n')}`,
    {
      context: { job },
    },
  );
}

/** The sources and sinks of a graph, for checks before anything is opened. */
export function connectorsOf(nodes: readonly WirableNode[]): { check?(): unknown; label: string }[] {
  return nodes
    .filter(node => node.kind === 'source' || node.kind === 'sink')
    .map(node => {
      const connector = node.kind === 'source' ? (node as SourceNode).source : (node as SinkNode).target;
      return { label: describe(node), ...('check' in connector ? { check: () => connector.check?.() } : {}) };
    });
}
