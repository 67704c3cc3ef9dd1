import { filter, firstValueFrom } from 'rxjs';
import { newestConfirmed } from '../checkpoint/recovery-decision.ts';
import type { SnapshotStore } from '../checkpoint/snapshot-store.ts';
import { toMs } from '../duration.ts';
import { NotRunningError, SavepointError } from '../errors.ts';
import type { JobHandle, JobPhase, JobStatus, SavepointOptions } from '../job/handle.ts';
import { storedTasks } from '../scale/current-tasks.ts';
import { createSavepoint } from './create.ts';
import { type Savepoint, verifySavepointName } from './savepoint.ts';

/** It is about to run: who asks for a savepoint waits for that. */
const coming: readonly JobPhase[] = ['starting', 'recovering', 'restarting'];
const running: readonly JobPhase[] = ['running', 'standby'];

/** Takes a savepoint of a job that is run here, as anybody else would: the job is asked through its store. See `JobHandle.savepoint`. */
export async function savepointOf(
  handle: Pick<JobHandle, 'job' | 'status$' | 'done'>,
  storeOf: () => SnapshotStore,
  { name, stop = false, drain = false, timeout = '10m' }: SavepointOptions,
): Promise<Savepoint> {
  if (drain && !stop) {
    throw new SavepointError(
      `A savepoint of the job "${handle.job}" was asked for with drain and without stop: drained, it has nothing to go on with. Give stop: true, too.`,
    );
  }
  if (name !== undefined) verifySavepointName(name);
  toMs(timeout);
  const status = await firstValueFrom(handle.status$.pipe(filter(({ phase }) => !coming.includes(phase))));
  if (!running.includes(status.phase)) {
    throw new NotRunningError(
      `The job "${handle.job}" is ${status.phase}, and takes no savepoint any more. createSavepoint(store, "${handle.job}") makes one of its ` +
        'newest checkpoint once it has ended.',
      { context: { job: handle.job } },
    );
  }
  const store = storeOf();
  await verifyReachesAll(status, store);
  const runs = new AbortController();
  const ended = () => runs.abort();
  handle.done.then(ended, ended);
  const { savepoint } = await createSavepoint(store, handle.job, {
    ...(name === undefined ? {} : { name }),
    end: stop ? (drain ? 'drain' : 'stop') : 'go-on',
    timeout,
    whileRuns: runs.signal,
  });
  return savepoint;
}

/** Tasks in other processes do not see what is in the memory of this one. */
async function verifyReachesAll({ job, tasks, taskCount }: JobStatus, store: SnapshotStore): Promise<void> {
  if (!tasks || store.kind !== 'memory') return;
  const stored = await storedTasks(store, job);
  const finished = stored.filter(({ manifests }) => newestConfirmed(manifests)?.jobFinished).length;
  if (tasks.length + finished >= (taskCount ?? Number.POSITIVE_INFINITY)) return;
  throw new SavepointError(
    `Of the ${taskCount ?? 'unknown number of'} tasks of the job "${job}" ${tasks.length} run in this process, and its store is in memory, ` +
      'where the others cannot see the request. Give all processes one store, Redis or a folder.',
    { context: { job } },
  );
}
