import { eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import { connectorsOf } from '../task/graph.ts';
import type { Job } from './job.ts';
import type { JobSettings } from './settings.ts';
import { wireUnread } from './wire-unread.ts';

/**
 * Validates all that can be known before a job runs: settings, parameters, names, operators that cannot be lifted, and what
 * its connectors can see of their files or servers. Opens nothing and writes nothing.
 *
 * Throws, or rejects with, the error that `start` would end with.
 */
export function check(job: Job, settings: JobSettings = {}): MaybePromise<void> {
  const { nodes } = wireUnread(job, settings);
  return eachInOrder(connectorsOf(nodes), connector => connector.check?.() as MaybePromise<void>);
}
