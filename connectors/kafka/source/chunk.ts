import type { FetchedPartition } from '../client/port.ts';
import type { Kept } from './fetch-plan.ts';

/** Records of one partition, undecoded; give them back with `done` when they are read. */
export interface Chunk extends Kept {
  readonly fetched: FetchedPartition;
}

/** How far the log of a partition reaches, as the last answer said. */
export interface LogExtent {
  readonly logStart: number;
  /** The last stable offset under `read_committed`, else the high watermark. */
  readonly end: number;
}
