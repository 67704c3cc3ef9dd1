import { SpreadRun } from '../scale/spread-run.ts';
import type { JobHandle } from './handle.ts';
import type { Job } from './job.ts';
import { prepared, run } from './job-run.ts';
import type { JobSettings } from './settings.ts';

/**
 * Runs a job inside this process and answers its handle at once; `handle.done` tells how it ends. With `tasks` other than
 * 'single' it runs what the group of its processes gives to this one.
 *
 * Throws `SettingsError` or `JobDefinitionError` when it cannot begin; later failures go to the restart strategy.
 */
export function start(job: Job, settings: JobSettings = {}): JobHandle {
  const { params, resolved } = prepared(job, settings);
  if (resolved.tasks === 'single') return run(job, params, resolved);
  return new SpreadRun(job, params, resolved, job.graph(resolved.params)).begin();
}
