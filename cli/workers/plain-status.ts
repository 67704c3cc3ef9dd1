import type { JobStatus } from '../../lib/job/handle.ts';
import { plainError, WorkerError } from '../../lib/scale/workers/errors.ts';
import type { PlainStatus } from './messages.ts';

/** A status as data that can leave its process. */
export function plainStatus({ error, tasks, ...status }: JobStatus): PlainStatus {
  return {
    ...status,
    ...(error ? { error: plainError(error) } : {}),
    ...(tasks ? { tasks: tasks.map(plainStatus) } : {}),
  };
}

/** The status that was meant. */
export function revivedStatus({ error, tasks, ...status }: PlainStatus, worker: string): JobStatus {
  return {
    ...status,
    ...(error ? { error: new WorkerError(error, worker) } : {}),
    ...(tasks ? { tasks: tasks.map(task => revivedStatus(task, worker)) } : {}),
  };
}
