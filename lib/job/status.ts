import type { Manifest } from '../checkpoint/manifest.ts';
import type { TidemarkError } from '../errors.ts';
import type { Task } from '../task/task.ts';
import type { CheckpointEvent, JobPhase, JobStatus } from './handle.ts';

export interface StatusParts {
  readonly job: string;
  readonly task: string;
  readonly phase: JobPhase;
  readonly attempt: number;
  readonly running: Task | undefined;
  readonly restored: Manifest | undefined;
  readonly lastCheckpoint: CheckpointEvent | undefined;
  readonly error: TidemarkError | undefined;
}

/** The status as the handle shows it. */
export function statusOf(parts: StatusParts): JobStatus {
  const { running, restored, lastCheckpoint, error, phase } = parts;
  const sources = running?.sources ?? [];
  const showsError = error !== undefined && (phase === 'restarting' || phase === 'failed');
  return {
    job: parts.job,
    task: parts.task,
    phase,
    attempt: parts.attempt,
    ...(restored ? { restoredFrom: { id: restored.id, createdAt: restored.createdAt } } : {}),
    records: {
      in: sources.reduce((sum, source) => sum + source.records, 0),
      out: (running?.sinks ?? []).reduce((sum, sink) => sum + sink.records, 0),
    },
    sources: sources.map(source => {
      const progress = source.progress();
      const time = source.time();
      return {
        name: source.name,
        kind: source.source.kind,
        records: source.records,
        isBounded: source.source.bounded,
        ...(progress === undefined ? {} : { progress }),
        isPaused: source.isPaused,
        isFinished: source.isFinished,
        ...(time === undefined ? {} : { time }),
      };
    }),
    actors: [...(running?.actors.values() ?? [])].map(actor => ({ name: actor.name, keys: actor.state.values.size })),
    ...(lastCheckpoint ? { lastCheckpoint } : {}),
    ...(showsError ? { error } : {}),
  };
}
