import type { Registry } from 'prom-client';
import type { CheckpointEvent } from '../job/handle.ts';
import type { SourceMeasures } from '../task/source.ts';
import { instruments } from './instruments.ts';

/** What a task has counted since it began to run; read when somebody looks, never per record. */
export interface TaskTotals {
  readonly sources: readonly {
    readonly name: string;
    readonly records: number;
    readonly bytes?: number;
    /** Wall clock minus watermark; left out while there is no watermark. */
    readonly watermarkLagMs?: number;
    readonly measures?: SourceMeasures;
  }[];
  readonly sinks: readonly { readonly name: string; readonly records: number; readonly bytes?: number }[];
  readonly actors: readonly { readonly name: string; readonly keys: number; readonly deadLetters?: number }[];
  /** Credits held, by holder. */
  readonly credits: ReadonlyMap<string, number>;
  /** Records given to side outputs that nothing reads, by side output. */
  readonly droppedSideOutputs: ReadonlyMap<string, number>;
}

/** The metrics of one task of one job, over all its restarts. */
export interface TaskMetrics {
  /** Takes over the totals of the present incarnation; also done at every scrape when there is a `read`. */
  update(totals: TaskTotals): void;
  checkpoint(event: CheckpointEvent): void;
  /** Longest time that a barrier kept a record waiting in one checkpoint. */
  barrierStalled(ms: number): void;
  /** A new incarnation begins, whose totals start from 0. Give the last totals of the old one to `update` first. */
  restarted(): void;
  /** From now on scrapes do not ask `read`; what was counted stays, and the last values too. */
  close(): void;
  /** As `close`, of a task that may go on in another process: what is measured of it, its lag say, is not told here any more. */
  moveAway(): void;
}

/**
 * Registers Tidemark's metrics (those that another task registered there are shared) and feeds one task's share of them.
 * Durations are in seconds and sizes in bytes, as Prometheus wants it. The label of the job is `job_name`, because
 * Prometheus sets `job` itself.
 */
export function createMetrics(
  registry: Registry,
  { job, task }: { readonly job: string; readonly task: string },
  read?: () => TaskTotals | undefined,
): TaskMetrics {
  const { counters, gauges, histograms, readers } = instruments(registry);
  const labels = { job_name: job, task };
  let seen = new Map<string, number>();
  const shown = new Map<string, () => void>();

  /** Counters only rise: adds what has come since the last time. */
  const countUp = (name: keyof typeof counters, own: Record<string, string>, total: number | undefined): void => {
    if (total === undefined) return;
    const id = JSON.stringify([name, own]);
    const last = seen.get(id) ?? 0;
    seen.set(id, total);
    counters[name].inc({ ...labels, ...own }, Math.max(0, total - last));
  };

  const show = (name: keyof typeof gauges, own: Record<string, string>, value: number): void => {
    const all = { ...labels, ...own };
    gauges[name].set(all, value);
    shown.set(JSON.stringify([name, own]), () => gauges[name].remove(all));
  };

  function update({ sources, sinks, actors, credits, droppedSideOutputs }: TaskTotals): void {
    for (const { name: source, records, bytes, watermarkLagMs, measures } of sources) {
      countUp('sourceRecords', { source }, records);
      countUp('sourceBytes', { source }, bytes);
      if (watermarkLagMs !== undefined) show('watermarkLag', { source }, watermarkLagMs / 1_000);
      if (measures) updateMeasures(source, measures);
    }
    for (const { name: sink, records, bytes } of sinks) {
      countUp('sinkRecords', { sink }, records);
      countUp('sinkBytes', { sink }, bytes);
    }
    for (const { name: actor, keys, deadLetters } of actors) {
      show('actorKeys', { actor }, keys);
      countUp('deadLetters', { actor }, deadLetters);
    }
    for (const [holder, held] of credits) show('creditsHeld', { holder }, held);
    for (const [output, dropped] of droppedSideOutputs) countUp('droppedSideOutputs', { output }, dropped);
  }

  function updateMeasures(source: string, { partitions, skipped, failures = {} }: SourceMeasures): void {
    for (const { name: partition, position, lag, records } of partitions) {
      countUp('partitionRecords', { source, partition }, records);
      show('partitionPosition', { source, partition }, position);
      if (lag !== undefined) show('partitionLag', { source, partition }, lag);
    }
    for (const [reason, records] of Object.entries(skipped)) countUp('skippedRecords', { source, reason }, records);
    for (const [what, count] of Object.entries(failures)) countUp('sourceFailures', { source, what }, count);
  }

  const readNow = (): void => {
    const totals = read?.();
    if (totals) update(totals);
  };
  readers.add(readNow);
  counters.restarts.inc(labels, 0);

  return {
    update,
    checkpoint({ outcome, durationMs, bytes, entries, id, at }) {
      counters.checkpoints.inc({ ...labels, outcome });
      if (outcome !== 'committed') return;
      histograms.checkpointDuration.observe(labels, durationMs / 1_000);
      histograms.checkpointBytes.observe(labels, bytes);
      histograms.checkpointEntries.observe(labels, entries);
      show('lastCheckpointId', {}, id);
      show('lastCheckpointTime', {}, at / 1_000);
    },
    barrierStalled: ms => histograms.barrierStall.observe(labels, ms / 1_000),
    restarted() {
      counters.restarts.inc(labels);
      seen = new Map();
    },
    close: () => readers.delete(readNow),
    moveAway() {
      readers.delete(readNow);
      for (const hide of shown.values()) hide();
      shown.clear();
    },
  };
}
