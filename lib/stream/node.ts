import type { Side } from '../job/handle.ts';
import type { Stage } from './stage.ts';
import type { Wiring } from './wiring.ts';

export type NodeKind = 'source' | 'native' | 'key' | 'actor' | 'union' | 'side' | 'sink';

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
