import type { TidemarkError } from '../../errors.ts';
import type { CheckpointEvent, JobPhase, JobStatus, WorkerStatus } from '../../job/handle.ts';
import { spreadStatus } from '../spread-status.ts';

export interface WorkersStatusParts {
  readonly job: string;
  /** Of the whole, where that is not what the workers are in. */
  readonly phase: JobPhase | undefined;
  readonly workers: readonly {
    readonly worker: WorkerStatus;
    /** What it told last. */
    readonly status: JobStatus | undefined;
  }[];
  readonly lastCheckpoint: CheckpointEvent | undefined;
  readonly error: TidemarkError | undefined;
}

/** From least to most settled: the whole is in what its least settled worker is in. One without tasks stands by for the others. */
const order: readonly JobPhase[] = ['restarting', 'recovering', 'starting', 'stopping', 'running', 'standby'];

/** One status of all workers of a job: their tasks, and the sums. */
export function workersStatus({ job, phase, workers, lastCheckpoint, error }: WorkersStatusParts): JobStatus {
  const statuses = workers.flatMap(({ status }) => status ?? []);
  const tasks = statuses.flatMap(status => status.tasks ?? []).sort((a, b) => Number(a.task) - Number(b.task));
  const taskCount = statuses.find(status => status.taskCount !== undefined)?.taskCount;
  const all = spreadStatus({
    job,
    phase: phase ?? order.find(one => workers.some(({ worker }) => worker.phase === one)) ?? 'starting',
    taskCount,
    tasks: statuses,
    lastCheckpoint,
    error,
  });
  const restarts = workers.reduce((sum, { worker }) => sum + worker.restarts, 0);
  return { ...all, tasks, attempt: all.attempt + restarts, workers: workers.map(({ worker }) => worker) };
}
