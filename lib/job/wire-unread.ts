import { asyncScheduler } from 'rxjs';
import type { ActorStage } from '../actor/actor-stage.ts';
import { JobDefinitionError } from '../errors.ts';
import { isPromise } from '../maybe-promise.ts';
import type { WirableNode } from '../stream/node.ts';
import { Discard } from '../stream/stage.ts';
import { Wiring } from '../stream/wiring.ts';
import { decidingSinks } from '../task/chosen-commit-point.ts';
import { Gate } from '../task/gate.ts';
import { verifyGraph } from '../task/graph.ts';
import type { Job } from './job.ts';
import { parseParams } from './params.ts';
import { type JobSettings, mergeSettings, type ResolvedSettings, resolveSettings } from './settings.ts';

/** A job whose graph is wired, with nothing that is read or opened. */
export interface UnreadJob {
  readonly settings: ResolvedSettings;
  readonly nodes: readonly WirableNode[];
  /** In the order in which records pass them. */
  readonly actors: readonly ActorStage[];
}

/** Validates settings and parameters, builds the graph and wires it. Throws the error that `start` would end with. */
export function wireUnread(job: Job, given: JobSettings): UnreadJob {
  const where = `the job "${job.name}"`;
  const settings = resolveSettings(mergeSettings(job.settings, given), where);
  const params = parseParams(job.schema, settings.params, where);
  if (isPromise(params)) {
    throw new JobDefinitionError(`The schema of ${where} is asynchronous: parameters are validated at once.`);
  }
  const ends = job.build(params);
  let failure: unknown;
  const gate = new Gate(settings.scheduler ?? asyncScheduler, error => {
    failure ??= error;
  });
  const unread = new Discard(gate);
  const wired = new Map<string, ActorStage>();
  const wiring = new Wiring(
    gate,
    {
      alignment: settings.checkpoint.mode,
      freezesState: settings.freezeState,
      source() {},
      sink: () => unread,
      actor: stage => void wired.set(stage.name, stage),
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
  const actors = wiring.nodes.flatMap(({ kind, name = '' }) => (kind === 'actor' ? (wired.get(name) ?? []) : []));
  return { settings, nodes: wiring.nodes, actors };
}
