import { asyncScheduler } from 'rxjs';
import { JobDefinitionError } from '../errors.ts';
import { eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import { Discard } from '../stream/stage.ts';
import { Wiring } from '../stream/wiring.ts';
import { decidingSinks } from '../task/chosen-commit-point.ts';
import { Gate } from '../task/gate.ts';
import { connectorsOf, verifyGraph } from '../task/graph.ts';
import type { Job } from './job.ts';
import { parseParams } from './params.ts';
import { type JobSettings, mergeSettings, resolveSettings } from './settings.ts';

/**
 * Validates all that can be known before a job runs: settings, parameters, names, operators that cannot be lifted, and what
 * its connectors can see of their files or servers. Opens nothing and writes nothing.
 *
 * Throws, or rejects with, the error that `start` would end with.
 */
export function check(job: Job, settings: JobSettings = {}): MaybePromise<void> {
  const where = `the job "${job.name}"`;
  const resolved = resolveSettings(mergeSettings(job.settings, settings), where);
  const params = parseParams(job.schema, resolved.params, where);
  if (isPromise(params)) {
    throw new JobDefinitionError(`The schema of ${where} is asynchronous: parameters are validated at once.`);
  }
  const ends = job.build(params);
  let failure: unknown;
  const gate = new Gate(asyncScheduler, error => {
    failure ??= error;
  });
  const unread = new Discard(gate);
  const wiring = new Wiring(
    gate,
    {
      alignment: resolved.checkpoint.mode,
      freezesState: resolved.freezeState,
      source() {},
      sink: () => unread,
      actor() {},
      captured() {},
      holdInput() {},
      random: () => 0,
      wasFinished: () => false,
      finished() {},
    },
    ends,
  );
  verifyGraph(job.name, wiring.nodes);
  decidingSinks(job.name, wiring.nodes);
  for (const end of ends) wiring.connect(end, unread);
  gate.close();
  if (failure !== undefined) throw failure;
  return eachInOrder(connectorsOf(wiring.nodes), connector => connector.check?.() as MaybePromise<void>);
}
