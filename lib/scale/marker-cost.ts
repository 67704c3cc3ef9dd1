import { SettingsError } from '../errors.ts';

export interface MarkerCostRequest {
  readonly tasks: number;
  /** How many `repartition` nodes the job has: each task writes into all partitions of each. */
  readonly channels: number;
  /** Between two checkpoints of a task, in ms; `off`: none by the clock. */
  readonly interval: number | 'off';
}

/**
 * Markers a second that the transactions of a job leave, all tasks together: one in each partition that a transaction wrote to, which are
 * all of each channel, one of output and one of the commit record.
 */
export function markersPerSecond({ tasks, channels, interval }: MarkerCostRequest): number {
  return interval === 'off' ? 0 : (tasks * (tasks * channels + 2) * 1_000) / interval;
}

/** Throws a `SettingsError` with the ways out where there would be more than `most` a second. */
export function verifyMarkerCost(job: string, request: MarkerCostRequest, most: number): void {
  const { tasks, channels, interval } = request;
  const markers = markersPerSecond(request);
  if (channels === 0 || markers <= most) return;
  throw new SettingsError(`The job "${job}" asks too much of Kafka's transactions`, [
    `maxMarkers: ${tasks} tasks with ${channels} repartition and a checkpoint every ${interval} ms leave ${Math.round(markers)} markers a second, ` +
      `one for each partition that a transaction wrote to, and at most ${most} are allowed: take checkpoints less often, use fewer tasks ` +
      '(maxTasks; half of them is a quarter of the markers), or raise maxMarkers',
  ]);
}
