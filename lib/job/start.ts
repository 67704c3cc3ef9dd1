import type { JobHandle } from './handle.ts';
import type { Job } from './job.ts';
import { run } from './job-run.ts';
import type { JobSettings } from './settings.ts';

/**
 * Runs a job inside this process and answers its handle at once; `handle.done` tells how it ends.
 *
 * Throws `SettingsError` or `JobDefinitionError` when it cannot begin; later failures go to the restart strategy.
 */
export function start(job: Job, settings: JobSettings = {}): JobHandle {
  return run(job, settings);
}
