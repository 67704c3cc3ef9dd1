import { JobDefinitionError } from '../errors.ts';
import type { SinkNode } from '../stream/end.ts';
import type { StreamNode, WirableNode } from '../stream/node.ts';
import type { Channel } from './channel.ts';
import { spreadOf } from './spread-sources.ts';
import type { JobShape } from './task-layout.ts';

/** The channels of a graph's `repartition` nodes, by name; none where the job is one task, which needs no way to others. */
export function channelsOf(
  job: string,
  layout: JobShape | undefined,
  nodes: readonly StreamNode[],
): ReadonlyMap<string, Channel> {
  const names = nodes.filter(({ kind }) => kind === 'repartition').map(({ name = '' }) => name);
  if (!layout || layout.count === 1 || names.length === 0) return new Map();
  const { spread } = spreadOf(job, nodes);
  return new Map(
    names.map(name => {
      const channel = spread.channel?.({
        job,
        name,
        tasks: layout.count,
        partitions: layout.partitions,
        spread: layout.spread,
      });
      if (!channel) {
        throw new JobDefinitionError(
          `The job "${job}" has repartition("${name}"), but its sources have no way for records between tasks.`,
        );
      }
      return [name, channel];
    }),
  );
}

/** What channels write into, in the form of nodes: it decides about checkpoints as other sinks do. */
export function channelNodes(channels: ReadonlyMap<string, Channel>): WirableNode[] {
  return [...channels.values()].map(({ sink }): SinkNode => {
    return { kind: 'sink', name: sink.name, inputs: [], isKeyed: true, sides: [], target: sink, wire() {} };
  });
}
