import { performance } from 'node:perf_hooks';
import { asyncScheduler } from 'rxjs';
import type { Job } from '../../lib/job/job.ts';
import { prepared } from '../../lib/job/job-run.ts';
import { restartStrategy } from '../../lib/job/restart-strategy.ts';
import type { JobSettings } from '../../lib/job/settings.ts';
import type { LogLevel } from '../../lib/observe/create-logger.ts';
import type { Logger } from '../../lib/observe/logger.ts';
import { spreadOf, verifySharedSettings } from '../../lib/scale/spread-sources.ts';
import { closeGraceMs, WorkersRun } from '../../lib/scale/workers/workers-run.ts';
import { UsageError } from '../exit-code.ts';
import { childWorker } from './child-worker.ts';

export const mostWorkers = 64;

export interface WorkersRequest {
  readonly job: Job;
  /** As it was given, and where. */
  readonly module: string;
  readonly cwd: string;
  readonly workers: number;
  readonly store: string | undefined;
  /** Plain data. */
  readonly settings: JobSettings;
  readonly log: LogLevel;
  readonly logger: Logger;
  /** Takes whole lines that the job prints. */
  readonly print: (line: string) => void;
}

/** Runs a job in child processes. Throws what is wrong with it or its settings before there are any. */
export function startWorkers(request: WorkersRequest): WorkersRun {
  const { job, module, cwd, workers, store, settings, log, logger, print } = request;
  const { resolved } = prepared(job, settings);
  verifySharedSettings(job.name, resolved);
  spreadOf(job.name, job.graph(resolved.params));
  if (keptIn(store, resolved) === 'memory') {
    throw new UsageError(
      'Workers cannot share a store in memory: each would have its own, and tasks that move would lose their state. ' +
        'Give --store a folder of this machine, or a Redis.',
    );
  }
  const { instanceId } = resolved.members;
  const names = Array.from({ length: workers }, (_, i) => (instanceId === undefined ? '' : `${instanceId}-`) + (i + 1));
  const endWithinMs = resolved.stopTimeout + closeGraceMs;
  return new WorkersRun({
    job: job.name,
    names,
    logger,
    strategy: restartStrategy(resolved.restart),
    stopTimeout: resolved.stopTimeout,
    statusInterval: resolved.statusInterval,
    metricsInterval: resolved.metricsInterval,
    scheduler: asyncScheduler,
    clock: () => performance.now(),
    start: (index, events) => {
      const name = names[index] ?? '';
      const own = instanceId === undefined ? settings : withInstance(settings, name);
      return childWorker({ order: { name, module, cwd, store, settings: own, log, endWithinMs }, events, print });
    },
  }).begin();
}

const withInstance = (settings: JobSettings, instanceId: string): JobSettings => ({
  ...settings,
  members: { ...settings.members, instanceId },
});

function keptIn(where: string | undefined, { store }: { readonly store?: { readonly kind: string } | undefined }) {
  if (where === undefined) return store?.kind;
  return /^memory:/i.test(where) ? 'memory' : 'elsewhere';
}
