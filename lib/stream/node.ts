import type { Side } from '../job/handle.ts';
import type { Stage } from './stage.ts';
import type { Wiring } from './wiring.ts';

export type NodeKind = 'source' | 'native' | 'key' | 'actor' | 'union' | 'side' | 'sink' | 'repartition';

/** One step of a declared job, as `job.graph()` shows it. */
export interface StreamNode {
  readonly kind: NodeKind;
  /** The name that ties state, positions or handles to the node; native operators have none. */
  readonly name?: string;
  readonly inputs: readonly StreamNode[];
  /** Whether its output has a key. */
  readonly isKeyed: boolean;
  /** Names of the side outputs that it declares. */
  readonly sides: readonly string[];
}

/** A node with what a task needs to run it. */
export interface WirableNode extends StreamNode {
  readonly inputs: readonly WirableNode[];
  /** Makes the node's stage in front of `out` and connects it to the node's inputs; called once per task. */
  wire(wiring: Wiring, out: Stage<unknown>, id: string): void;
}

export type SideTag = Side<unknown>;

/** How messages call a node. */
export function describe(node: WirableNode): string {
  return node.name === undefined ? `a ${node.kind} stream` : `${node.kind} "${node.name}"`;
}

/** Whether state is kept by key: what partitions spread over tasks. */
export function hasKeyedState(nodes: readonly StreamNode[]): boolean {
  return nodes.some(({ kind, isKeyed }) => kind === 'actor' && isKeyed);
}

/** The node and all that lead to it, the nearest first. */
export function upstream(node: WirableNode): WirableNode[] {
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

/** The nearest actor upstream that declares the side output. */
export function nearestWith(node: WirableNode, tag: string): WirableNode | undefined {
  return upstream(node).find(candidate => candidate.kind === 'actor' && candidate.sides.includes(tag));
}
