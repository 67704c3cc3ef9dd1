import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';

const task = ['job_name', 'task'] as const;

/** Everything that is measured: name, meaning, own labels beside `job_name` and `task`. */
const counters = {
  sourceRecords: ['tidemark_source_records_total', 'Records that a source gave to the job.', ['source']],
  sourceBytes: ['tidemark_source_bytes_total', 'Bytes that a source has read.', ['source']],
  partitionRecords: [
    'tidemark_source_partition_records_total',
    'Records of one partition that a source gave to the job.',
    ['source', 'partition'],
  ],
  skippedRecords: [
    'tidemark_source_skipped_records_total',
    'Records that a source read and did not give to the job.',
    ['source', 'reason'],
  ],
  sinkRecords: ['tidemark_sink_records_total', 'Records that the job gave to a sink.', ['sink']],
  sinkBytes: ['tidemark_sink_bytes_total', 'Bytes that a sink has written.', ['sink']],
  sourceFailures: [
    'tidemark_source_failures_total',
    'What failed beside the records of a source, such as commits of offsets that only monitoring reads.',
    ['source', 'what'],
  ],
  checkpoints: ['tidemark_checkpoints_total', 'Checkpoints by outcome: committed, abandoned or skipped.', ['outcome']],
  restarts: ['tidemark_restarts_total', 'Restarts of the task after a failure.', []],
  deadLetters: [
    'tidemark_dead_letter_records_total',
    'Records that supervision gave to a dead-letter output.',
    ['actor'],
  ],
  droppedSideOutputs: [
    'tidemark_side_output_dropped_records_total',
    'Records of side outputs that nothing reads.',
    ['output'],
  ],
} as const;

const gauges = {
  actorKeys: ['tidemark_actor_keys', 'Keys that an actor holds state for.', ['actor']],
  creditsHeld: ['tidemark_credits_held', 'Credits that a holder has; sources pause when all are held.', ['holder']],
  watermarkLag: ['tidemark_watermark_lag_seconds', 'Wall clock minus the watermark of a source.', ['source']],
  partitionPosition: [
    'tidemark_source_position',
    'The next offset that a source reads of a partition.',
    ['source', 'partition'],
  ],
  partitionLag: [
    'tidemark_source_lag_records',
    'Offsets from the position of a partition to the end of what may be read.',
    ['source', 'partition'],
  ],
  lastCheckpointId: ['tidemark_last_checkpoint_id', 'Id of the newest committed checkpoint.', []],
  lastCheckpointTime: [
    'tidemark_last_checkpoint_timestamp_seconds',
    'When the newest checkpoint was committed, seconds since 1970.',
    [],
  ],
} as const;

const histograms = {
  checkpointDuration: [
    'tidemark_checkpoint_duration_seconds',
    'Time from the barrier to the commit.',
    exponentialBuckets(0.001, 4, 10), // 1 ms to 4.4 min
  ],
  checkpointBytes: [
    'tidemark_checkpoint_size_bytes',
    'Bytes written for a checkpoint.',
    exponentialBuckets(256, 8, 9), // 256 B to 4 GiB
  ],
  checkpointEntries: [
    'tidemark_checkpoint_entries',
    'Changed keys written for a checkpoint.',
    exponentialBuckets(1, 10, 8), // 1 to 10 million
  ],
  barrierStall: [
    'tidemark_barrier_stall_seconds',
    'Longest time that a barrier kept a record waiting, per checkpoint.',
    [0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1],
  ],
} as const;

export interface Instruments {
  readonly counters: Record<keyof typeof counters, Counter>;
  readonly gauges: Record<keyof typeof gauges, Gauge>;
  readonly histograms: Record<keyof typeof histograms, Histogram>;
  /** Called before any value is read. */
  readonly readers: Set<() => void>;
}

const known = new WeakMap<Registry, Instruments>();

/** The instruments of a registry, registered there the first time: several tasks may share one registry. */
export function instruments(registry: Registry): Instruments {
  let existing = known.get(registry);
  if (!existing) {
    existing = register(registry);
    known.set(registry, existing);
  }
  return existing;
}

function register(registry: Registry): Instruments {
  const readers = new Set<() => void>();
  const common = {
    registers: [registry],
    collect: () => {
      for (const read of readers) read();
    },
  };
  return {
    counters: mapValues(
      counters,
      ([name, help, own]) => new Counter({ ...common, name, help, labelNames: [...task, ...own] }),
    ),
    gauges: mapValues(
      gauges,
      ([name, help, own]) => new Gauge({ ...common, name, help, labelNames: [...task, ...own] }),
    ),
    histograms: mapValues(
      histograms,
      ([name, help, buckets]) =>
        new Histogram({ registers: [registry], name, help, labelNames: [...task], buckets: [...buckets] }),
    ),
    readers,
  };
}

function mapValues<K extends string, V, R>(record: Record<K, V>, map: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, map(value)])) as Record<K, R>;
}
