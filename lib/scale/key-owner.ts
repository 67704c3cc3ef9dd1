import type { TaskLayout } from '../checkpoint/manifest.ts';
import type { Key } from '../stream/elements.ts';
import type { SourceNode } from '../stream/from.ts';
import type { WirableNode } from '../stream/node.ts';
import type { Channel } from './channel.ts';

/** The task that has the state of a key; `undefined`: it cannot be told. */
export type KeyOwner = (key: Key) => number | undefined;

/** The sources whose records reach a node without being brought home by a `repartition`. */
export function sourcesOf(node: WirableNode, seen = new Set<WirableNode>()): SourceNode[] {
  if (seen.has(node) || node.kind === 'repartition') return [];
  seen.add(node);
  return node.kind === 'source' ? [node as SourceNode] : node.inputs.flatMap(input => sourcesOf(input, seen));
}

/** Which task has the state of a keyed actor's keys, by the partitions of its sources; `undefined` where these do not tell. */
export function sourceOwner(node: WirableNode, { count, partitions }: Omit<TaskLayout, 'index'>): KeyOwner | undefined {
  const telling = sourcesOf(node).find(({ source }) => source.spread?.taskOf !== undefined)?.source.spread;
  return telling && (key => telling.taskOf?.(key, count, partitions));
}

/** As `sourceOwner`, also where a `repartition` brings keys home. */
export function keyOwner(
  node: WirableNode,
  layout: Omit<TaskLayout, 'index'> | undefined,
  channels: ReadonlyMap<string, Channel>,
): KeyOwner | undefined {
  if (!layout || layout.count === 1) return () => 0;
  if (sourcesOf(node).length > 0) return sourceOwner(node, layout);
  const channel = channels.get(repartitionOf(node)?.name ?? '');
  return channel && (key => channel.taskOf(key));
}

/** The `repartition` whose keys a node's are: none where another key was chosen since. */
function repartitionOf(node: WirableNode): WirableNode | undefined {
  if (node.kind === 'repartition') return node;
  if (node.kind === 'key') return undefined;
  const found = node.inputs.map(repartitionOf);
  return found.every(one => one !== undefined) ? found[0] : undefined;
}
