import type { ActorStage } from '../actor/actor-stage.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { identityOf, mayHaveDecidedMore, newestConfirmed } from '../checkpoint/recovery-decision.ts';
import type { SnapshotStore, StoredManifest, TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { closeContainer, jobContainer, taskContainer } from '../composition.ts';
import { SavepointError, StateLostError, TidemarkError } from '../errors.ts';
import { andThen, attempt, eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import { chosenOrigin, rewindOf, rewoundOrigin } from '../savepoint/rewind.ts';
import { beginsChannels } from '../savepoint/same-shape.ts';
import { mergedTask, notSpreadYet, originOfAll, savedTasks } from '../savepoint/saved-tasks.ts';
import { decideStart, openSavepoint, type SavepointStart, startOf } from '../savepoint/start-from.ts';
import { currentTasks, type StoredTask, storedTasks } from '../scale/current-tasks.ts';
import { storedShape, verifyAlone } from '../scale/task-layout.ts';
import type { WirableNode } from '../stream/node.ts';
import { type ActorReport, droppedActor, inspectActor, newActor, type StateChange } from '../task/inspect-actor.ts';
import { type GraphNames, notTaken, notTakenError } from '../task/not-taken.ts';
import * as tokens from '../tokens.ts';
import type { Job } from './job.ts';
import type { JobSettings } from './settings.ts';
import { type UnreadJob, wireUnread } from './wire-unread.ts';

export interface CheckStateOptions {
  /** Also runs migrations and codecs over all that is stored. */
  readonly migrations?: boolean;
}

/** A source or sink of a job against what a checkpoint holds of it. */
export interface ConnectorReport {
  readonly name: string;
  readonly change: Exclude<StateChange, 'changed'>;
}

/** A job against its newest committed checkpoint. */
export interface StateReport {
  readonly job: string;
  readonly task: string;
  /** What a start would go on from; nothing when there is none, or with `fresh`. */
  readonly checkpoint?: {
    readonly id: number;
    /** Wall clock, ms since 1970. */
    readonly createdAt: number;
    /** The job has finished: a start has nothing left to do, and nothing is compared. */
    readonly isJobFinished: boolean;
    /** A newer one is prepared, and what decides about it (a Kafka transaction) was not asked: a start may go on from that. */
    readonly mayBeOvertaken: boolean;
  };
  readonly actors: readonly ActorReport[];
  readonly sources: readonly ConnectorReport[];
  readonly sinks: readonly ConnectorReport[];
  /** What a start would be refused with. */
  readonly problem?: TidemarkError;
}

/**
 * Compares a job with the newest committed checkpoint in its store, or with `fromSavepoint`, as a start would that restores it. Reads alone: it takes no fence,
 * so the job may be running meanwhile; nothing is written, and no source or sink is opened.
 *
 * Throws, or rejects with, what is wrong with the job itself, and when the store does not answer.
 */
export function checkState(
  job: Job,
  settings: JobSettings = {},
  { migrations = false }: CheckStateOptions = {},
): MaybePromise<StateReport> {
  const wired = wireUnread(job, settings);
  const ref: TaskRef = { job: job.name, task: wired.settings.task };
  const container = jobContainer(wired.settings);
  const { fromSavepoint, recovery } = wired.settings;
  const store = taskContainer(container, ref).resolve(tokens.TASK_STORE);
  const closed = () => closeContainer(container, () => {});
  const savepoint =
    fromSavepoint === undefined
      ? undefined
      : () =>
          openSavepoint(container.resolve(tokens.SNAPSHOT_STORE), job.name, fromSavepoint).then(found =>
            startOf(found, ref, rewindOf(recovery.rewind)),
          );
  const all = container.resolve(tokens.SNAPSHOT_STORE);
  // What an actor was filled with stays in it: each look takes actors of its own.
  const compare = (again: UnreadJob, stored: readonly StoredManifest[]): MaybePromise<StateReport> => {
    if (wired.settings.tasks === 'per-partition') return checkTasks(again, all, job.name, migrations);
    if (!savepoint) {
      return andThen(reportOf(again, ref, store, stored, migrations), report =>
        andThen(all.tasks(), refs => {
          const others = refs.some(one => one.job === job.name && one.task !== ref.task);
          if (!others) return report;
          return andThen(storedTasks(all, job.name), tasks => withProblem(report, () => verifyAlone(ref, tasks)));
        }),
      );
    }
    return savepoint().then(async start => {
      const refused = refusalOf(ref, stored, start, await storedTasks(all, job.name));
      if (refused === 'resume') return reportOf(again, ref, store, stored, migrations);
      const saved = [{ manifest: start.task.manifest, confirmed: true }];
      return andThen(reportOf(again, ref, start.task, saved, migrations), report =>
        refused === 'restore' ? report : { ...report, problem: refused },
      );
    });
  };
  const look = (again: UnreadJob, above: number): MaybePromise<StateReport> =>
    andThen(store.manifests(), stored =>
      andThen(compare(again, stored), report => {
        const { checkpoint, problem } = report;
        // A job that runs may have collected what was about to be read.
        const isLost = problem instanceof StateLostError && checkpoint !== undefined && checkpoint.id > above;
        return isLost ? look(wireUnread(job, settings), checkpoint.id) : report;
      }),
    );
  const report = attempt<StateReport>(
    () => look(wired, 0),
    error =>
      andThen(closed(), () => {
        throw error;
      }),
  );
  return andThen(report, found => andThen(closed(), () => found));
}

/** The same for a job in several tasks: all that they hold, as if it were one. */
async function checkTasks(again: UnreadJob, store: SnapshotStore, job: string, runs: boolean): Promise<StateReport> {
  const { fromSavepoint } = again.settings;
  const stored = await storedTasks(store, job);
  const current = currentTasks(stored);
  const savepoint = fromSavepoint === undefined ? undefined : await openSavepoint(store, job, fromSavepoint);
  const saved = savepoint && savedTasks(savepoint);
  const origin = saved && originOfAll(saved);
  const rewind = rewindOf(again.settings.recovery.rewind);
  const rewound = origin && rewind && rewoundOrigin(origin, rewind).checksum;
  const spread = current?.layout?.spread;
  const isBegun = spread !== undefined && (spread === origin?.checksum || spread === rewound);
  const present = (current?.tasks ?? []).flatMap(({ task, manifests }) => {
    const manifest = newestConfirmed(manifests);
    const of = store.task({ job, task });
    return manifest ? [{ manifest, getSegment: (name: string) => of.getSegment(name) }] : [];
  });
  const from = saved && !isBegun ? saved : { tasks: present, layout: current?.layout };
  const ref = { job, task: from.tasks.length === 1 ? '1 task' : `${from.tasks.length} tasks` };
  const merged = from.tasks.length === 0 ? undefined : mergedTask(from);
  const report = await reportOf(
    again,
    ref,
    merged ?? { getSegment: () => undefined },
    merged ? [{ manifest: merged.manifest, confirmed: true }] : [],
    runs,
  );
  return withProblem(report, () => {
    if (savepoint && origin && saved && !isBegun) {
      const isInPlace =
        current?.layout !== undefined && current.layout.count === saved.layout?.count && !beginsChannels(saved);
      chosenOrigin(ref, current, { savepoint, origin, rewind, target: isInPlace ? 'in place' : 'several' });
    } else if (!savepoint && current) {
      storedShape(
        job,
        present.map(({ manifest }) => manifest),
      );
      if (current.layout?.spread !== undefined && current.missing.length > 0) throw notSpreadYet(job, current.missing);
    }
  });
}

function withProblem(report: StateReport, verify: () => void): StateReport {
  try {
    verify();
    return report;
  } catch (error) {
    if (report.problem || !(error instanceof TidemarkError)) return report;
    return { ...report, problem: error };
  }
}

/** What a start from the savepoint goes on from, or why it is refused. */
function refusalOf(
  ref: TaskRef,
  stored: readonly StoredManifest[],
  start: SavepointStart,
  all: readonly StoredTask[],
): 'resume' | 'restore' | TidemarkError {
  try {
    const current = currentTasks(all);
    const isOther = start.spread !== undefined || current?.layout !== undefined;
    const origin = isOther
      ? chosenOrigin(ref, current, { ...start, target: start.spread ? 'one' : 'in place' })
      : start.origin;
    return decideStart(ref, newestConfirmed(stored), { ...start, origin });
  } catch (error) {
    if (error instanceof SavepointError) return error;
    throw error;
  }
}

function reportOf(
  { settings, nodes, actors }: UnreadJob,
  ref: TaskRef,
  store: Pick<TaskStore, 'getSegment'>,
  stored: readonly StoredManifest[],
  runs: boolean,
): MaybePromise<StateReport> {
  const committed = settings.fresh ? undefined : newestConfirmed(stored);
  const names = namesOf(nodes, actors);
  if (!committed) {
    return {
      ...ref,
      actors: actors.map(newActor),
      sources: compared(names.sources, []),
      sinks: compared(names.sinks, []),
    };
  }
  const { id, createdAt, jobFinished: isJobFinished } = committed;
  const mayBeOvertaken = identityOf(committed).kind !== 'store' && mayHaveDecidedMore(stored);
  const checkpoint = { id, createdAt, isJobFinished, mayBeOvertaken };
  if (isJobFinished) return { ...ref, checkpoint, actors: [], sources: [], sinks: [] };

  const reports: ActorReport[] = [];
  const services = { store, ref, allowsDropped: settings.allowDroppedState };
  const inspected = eachInOrder(actors, stage => {
    const entry = committed.actors[stage.name];
    const report = entry ? inspectActor(stage, entry, services, runs) : newActor(stage);
    return andThen(report, found => void reports.push(found));
  });
  return andThen(inspected, () => {
    const dropped = notTaken(committed, names);
    const refusal =
      dropped.length > 0 && !settings.allowDroppedState ? notTakenError(ref, committed, dropped) : undefined;
    const problem = refusal ?? reports.find(report => report.problem)?.problem;
    return {
      ...ref,
      checkpoint,
      actors: [...reports, ...droppedActors(committed, names)],
      sources: compared(names.sources, Object.keys(committed.sources)),
      sinks: compared(names.sinks, Object.keys(committed.sinks)),
      ...(problem && { problem }),
    };
  });
}

function namesOf(nodes: readonly WirableNode[], actors: readonly ActorStage[]): GraphNames {
  const named = (kind: 'source' | 'sink') =>
    new Set(nodes.filter(node => node.kind === kind).map(node => node.name as string));
  return { actors: new Set(actors.map(({ name }) => name)), sources: named('source'), sinks: named('sink') };
}

function droppedActors({ actors }: Manifest, names: GraphNames): ActorReport[] {
  return Object.entries(actors)
    .filter(([name]) => !names.actors.has(name))
    .map(([name, entry]) => droppedActor(name, entry));
}

function compared(declared: ReadonlySet<string>, stored: readonly string[]): ConnectorReport[] {
  return [
    ...[...declared].map(name => ({ name, change: stored.includes(name) ? 'same' : 'new' }) as const),
    ...stored.filter(name => !declared.has(name)).map(name => ({ name, change: 'dropped' }) as const),
  ];
}
