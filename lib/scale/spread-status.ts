import type { TidemarkError } from '../errors.ts';
import type { CheckpointEvent, JobPhase, JobStatus, SourceStatus } from '../job/handle.ts';

export interface SpreadStatusParts {
  readonly job: string;
  /** What the whole is in, where that is not what its tasks are in. */
  readonly phase: JobPhase | undefined;
  readonly taskCount: number | undefined;
  readonly tasks: readonly JobStatus[];
  /** Tasks that have ended here for good: in the sums alone. */
  readonly past?: readonly JobStatus[];
  /** Records of what has ended here, wherever it runs now. */
  readonly handled?: JobStatus['records'];
  readonly lastCheckpoint: CheckpointEvent | undefined;
  readonly error: TidemarkError | undefined;
}

/** What a job is in, from least to most settled: the whole is in that of its least settled task. */
const order: readonly JobPhase[] = ['restarting', 'recovering', 'starting', 'stopping', 'running'];

/** The status of a job whose tasks are shared, in this process: its tasks, and their sums. */
export function spreadStatus({
  job,
  phase,
  taskCount,
  tasks,
  past = [],
  handled = { in: 0, out: 0 },
  lastCheckpoint,
  error,
}: SpreadStatusParts): JobStatus {
  const all = [...past, ...tasks];
  const shownError = error ?? tasks.find(task => task.error)?.error;
  return {
    job,
    task: '',
    phase: phase ?? order.find(one => tasks.some(task => task.phase === one)) ?? 'standby',
    attempt: Math.max(1, ...tasks.map(task => task.attempt)),
    tasks,
    ...(taskCount === undefined ? {} : { taskCount }),
    records: {
      in: tasks.reduce((sum, task) => sum + task.records.in, handled.in),
      out: tasks.reduce((sum, task) => sum + task.records.out, handled.out),
    },
    sources: byName(all.flatMap(task => task.sources)).map(sourceOf),
    actors: byName(all.flatMap(task => task.actors)).map(actors => ({
      name: (actors[0] as { name: string }).name,
      keys: actors.reduce((sum, { keys }) => sum + keys, 0),
    })),
    ...(lastCheckpoint ? { lastCheckpoint } : {}),
    ...(shownError ? { error: shownError } : {}),
  };
}

function sourceOf(parts: readonly SourceStatus[]): SourceStatus {
  const [{ name, kind, isBounded }] = parts as [SourceStatus];
  const known = parts.flatMap(({ progress }) => progress ?? []);
  return {
    name,
    kind,
    records: parts.reduce((sum, { records }) => sum + records, 0),
    ...(isBounded === undefined ? {} : { isBounded }),
    ...(known.length === parts.length ? { progress: known.reduce((sum, one) => sum + one, 0) / known.length } : {}),
    isPaused: parts.every(({ isPaused }) => isPaused),
    isFinished: parts.every(({ isFinished }) => isFinished),
  };
}

function byName<T extends { readonly name: string }>(all: readonly T[]): T[][] {
  return [...Map.groupBy(all, ({ name }) => name).values()];
}
