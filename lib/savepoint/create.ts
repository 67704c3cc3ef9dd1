import { setTimeout as wait } from 'node:timers/promises';
import type { Manifest } from '../checkpoint/manifest.ts';
import { identityOf, mayHaveDecidedMore, newestConfirmed } from '../checkpoint/recovery-decision.ts';
import {
  keepNote,
  keepText,
  type RequestEnd,
  readNotes,
  requestNotes,
  requestText,
} from '../checkpoint/savepoint-notes.ts';
import type { SnapshotStore, StoredManifest, TaskRef, TaskStore } from '../checkpoint/snapshot-store.ts';
import { type Duration, toMs } from '../duration.ts';
import { NotRunningError, SavepointError, TimeoutError } from '../errors.ts';
import { channelsRefusal, hasChannels, restOf, underWay } from '../scale/channel-state.ts';
import { currentTasks, storedTasks } from '../scale/current-tasks.ts';
import { deleteSavepoint } from './delete.ts';
import { notSpreadYet, savedTasks } from './saved-tasks.ts';
import { listSavepoints, type Savepoint, verifySavepointName } from './savepoint.ts';

export interface CreateSavepointOptions {
  /** Unique among the savepoints of the job; made from the time when left out. */
  readonly name?: string;
  /** `stop`: the savepoint is the job's last checkpoint; `drain`: its operators complete first. Default: the job goes on. */
  readonly end?: RequestEnd;
  /** How long a running job may take to see the request; then nobody runs it. Default 10s. */
  readonly patience?: Duration;
  /** How long it may take in all. Default 10m. */
  readonly timeout?: Duration;
  /** Asks nobody: takes the newest committed checkpoint, or the one of this id. */
  readonly offline?: boolean | number;
  /** Told what goes on, for people. */
  readonly progress?: (text: string) => void;
}

/** What who asks knows beside what anybody may say. */
export interface CreateSavepointRequest extends CreateSavepointOptions {
  /** The job is known to run, so there is no patience, until this is aborted: then the savepoint is there, or never comes. */
  readonly whileRuns?: AbortSignal;
}

export interface CreatedSavepoint {
  readonly savepoint: Savepoint;
  /** `running`: the job took it now. `offline`: nobody ran the job, and its newest committed checkpoint became it. */
  readonly taken: 'running' | 'offline';
}

const pollMs = 100;

/**
 * Takes a savepoint of a job: the job is asked through its store, wherever it runs; when nobody answers, its newest committed
 * checkpoint becomes the savepoint, without touching the job's fence.
 */
export async function createSavepoint(
  store: SnapshotStore,
  job: string,
  options: CreateSavepointRequest = {},
): Promise<CreatedSavepoint> {
  const { end = 'go-on', name = nameOfNow() } = options;
  verifySavepointName(name);
  if (!(await store.tasks()).some(ref => ref.job === job)) {
    throw new SavepointError(`The ${store.kind} store at ${store.location} has nothing of a job "${job}".`);
  }
  if ((await listSavepoints(store, job)).some(savepoint => savepoint.name === name)) {
    throw new SavepointError(`There is a savepoint "${name}" of job "${job}" already: give another name.`);
  }
  const refs = await tasksToAsk(store, job);
  // All by one request: tasks that wait for each other know it by its time.
  const common: CommonRequest = {
    createdAt: Date.now(),
    asked: [],
    bond: () => bondOf(store, refs),
    areBound: remembered(() => bondOf(store, refs)),
    failure: [],
  };
  const results = await Promise.allSettled(
    refs.map(ref =>
      createOf(store.task(ref), ref, name, { ...options, end, isOneOf: refs.length, common }).catch(error => {
        common.failure.push(error);
        throw error;
      }),
    ),
  );
  // Only now: a task that rests goes on when nobody waits for its savepoint any more.
  for (const task of common.asked) {
    const { request, accepted, refused } = requestNotes(name);
    for (const note of [request, accepted, refused]) await task.removeNote(note);
  }
  const savepoint = (await listSavepoints(store, job)).find(found => found.name === name);
  if (savepoint && common.failure.length === 0 && (await common.areBound())) verifyWhole(savepoint, common);
  if (common.failure.length > 0) {
    // A savepoint is whole or not there.
    if (savepoint) await deleteSavepoint(store, job, name);
    throw common.failure[0];
  }
  if (!savepoint) throw new SavepointError(`The savepoint "${name}" was deleted while it was taken.`);
  const isOffline = results.every(result => result.status === 'fulfilled' && result.value === 'offline');
  return { savepoint, taken: isOffline ? 'offline' : 'running' };
}

/** The tasks that have the job's present state; those that have not taken a checkpoint yet included. */
async function tasksToAsk(store: SnapshotStore, job: string): Promise<readonly TaskRef[]> {
  const current = currentTasks(await storedTasks(store, job));
  if (!current?.layout) {
    const present = current?.tasks.map(({ task }) => task);
    return (await store.tasks()).filter(ref => ref.job === job && (present?.includes(ref.task) ?? true));
  }
  if (current.layout.spread !== undefined && current.missing.length > 0) throw notSpreadYet(job, current.missing);
  return Array.from({ length: current.layout.count }, (_, index) => ({ job, task: `${index}` }));
}

/** What the requests to all tasks of a job have in common. */
interface CommonRequest {
  readonly createdAt: number;
  /** Those that were asked. */
  readonly asked: TaskStore[];
  /** What is stored of them says now. */
  bond(): Promise<Bond>;
  areBound(): Promise<boolean>;
  /** The first is why there is none. */
  readonly failure: unknown[];
}

interface Bond {
  /** Whether records go between the tasks, so that they wait for each other: none has it where one has not. */
  readonly areBound: boolean;
  /** Whether all of them have come to rest together, and none has gone on. */
  readonly areAtRest: boolean;
  /** Whether all of them have a checkpoint that says so. */
  readonly isSure: boolean;
}

async function bondOf(store: SnapshotStore, refs: readonly TaskRef[]): Promise<Bond> {
  const all = await Promise.all(refs.map(async ref => newestConfirmed(await store.task(ref).manifests())));
  const newest = all.flatMap(manifest => manifest ?? []);
  const isSure = newest.length === refs.length;
  const areAtRest = isSure && newest.every(({ closed }) => closed) && underWay(newest) === undefined;
  return { areBound: newest.some(hasChannels), areAtRest, isSure };
}

/** Each task asks until the last of them is done: once it is known, nothing is read for it. */
function remembered(look: () => Promise<Bond>): () => Promise<boolean> {
  let known: boolean | undefined;
  return async () => {
    if (known !== undefined) return known;
    const { areBound, isSure } = await look();
    if (areBound || isSure) known = areBound;
    return areBound;
  };
}

function verifyWhole(savepoint: Savepoint, { failure }: CommonRequest): void {
  try {
    savedTasks(savepoint);
  } catch (error) {
    failure.push(error);
  }
}

interface TaskOptions extends CreateSavepointRequest {
  readonly common: CommonRequest;
  readonly end: RequestEnd;
  /** How many tasks are asked. */
  readonly isOneOf: number;
}

async function createOf(
  task: TaskStore,
  ref: TaskRef,
  name: string,
  options: TaskOptions,
): Promise<'running' | 'offline'> {
  const { end, isOneOf, common, offline = false, progress } = options;
  const newest = newestConfirmed(await task.manifests());
  const isClosed = newest?.closed === true && (await task.fence()) === newest.token;
  // One of several may be on its way from one process to another.
  const isAlone = ({ areBound, areAtRest }: Bond) => !areBound || areAtRest;
  const isFree = isClosed && (isOneOf === 1 || newest.jobFinished || (end === 'go-on' && isAlone(await common.bond())));
  if (end !== 'go-on' && offline) throw notRunning(ref, newest);
  if (end !== 'go-on' && isFree && (isOneOf === 1 || !newest?.jobFinished)) throw notRunning(ref, newest);
  if (!isFree && offline === false) {
    if (await askRunning(task, ref, name, options)) return 'running';
    if (end !== 'go-on') throw notRunning(ref, newest);
    progress?.(`nobody answered for task ${ref.task} of job ${ref.job}: its newest committed checkpoint is taken`);
  }
  await keep(task, ref, name, typeof offline === 'number' ? offline : undefined);
  return 'offline';
}

/** Answers whether a running job took the savepoint; `false` when nobody has seen the request. */
async function askRunning(
  task: TaskStore,
  ref: TaskRef,
  name: string,
  { end, isOneOf, common, patience = '10s', timeout = '10m', progress, whileRuns }: TaskOptions,
): Promise<boolean> {
  const { request } = requestNotes(name);
  const begun = performance.now();
  const elapsed = () => performance.now() - begun;
  const { createdAt } = common;
  const text = requestText({ name, end, createdAt, expiresAt: createdAt + toMs(timeout) });
  if (!(await task.putNote(request, text))) {
    throw new SavepointError(`A savepoint "${name}" of job "${ref.job}" is asked for already: give another name.`);
  }
  common.asked.push(task);
  let isSeen = false;
  for (;;) {
    const isGone = whileRuns?.aborted === true;
    const notes = readNotes(await task.notes());
    const reason = notes.refused.get(name);
    if (reason !== undefined) {
      throw new SavepointError(`The job "${ref.job}" took no savepoint: ${reason}.`, { context: { ...ref } });
    }
    if (!isSeen && notes.accepted.has(name)) {
      isSeen = true;
      progress?.(`${isOneOf === 1 ? 'the running job' : `task ${ref.task}`} has seen the request for "${name}"`);
    }
    const isThere = ({ manifest, confirmed }: StoredManifest) => confirmed && manifest.savepoint?.name === name;
    if (isSeen && (await task.manifests()).some(isThere)) return true;
    if (common.failure.length > 0 && (await common.areBound())) {
      throw new SavepointError('Another task took no savepoint.');
    }
    if (isGone) throw endedBefore(ref, name);
    if (!isSeen && !whileRuns && elapsed() > toMs(patience)) {
      await task.removeNote(request);
      // It may have been seen at the last moment.
      if (!readNotes(await task.notes()).accepted.has(name)) return false;
      isSeen = true;
    }
    if (elapsed() > toMs(timeout)) throw notInTime(ref, name, { isSeen, timeoutMs: toMs(timeout) });
    await wait(pollMs);
  }
}

const endedBefore = ({ job, task }: TaskRef, name: string): NotRunningError =>
  new NotRunningError(
    `The job "${job}" has ended before task ${task} had taken the savepoint "${name}": what it ended with is told by its handle.`,
    { context: { job, task } },
  );

function notInTime(
  { job, task }: TaskRef,
  name: string,
  { isSeen, timeoutMs }: { readonly isSeen: boolean; readonly timeoutMs: number },
): TimeoutError {
  return new TimeoutError(
    isSeen
      ? `The job "${job}" has seen the request for the savepoint "${name}" but has not committed it within ${timeoutMs} ms. ` +
          'It may still do so: the list of savepoints shows it then. What the job does is in its log.'
      : `Nobody has seen the request for the savepoint "${name}" of job "${job}" within ${timeoutMs} ms: task ${task} ran nowhere.`,
    { context: { job, task } },
  );
}

/** Marks a committed checkpoint as a savepoint; nothing else is touched, so it harms no job that runs after all. */
async function keep(task: TaskStore, ref: TaskRef, name: string, id: number | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const stored = await task.manifests();
    const manifest = chosen(stored, ref, id);
    if (!(await task.putNote(keepNote(manifest), keepText({ name, createdAt: Date.now() })))) {
      const before = readNotes(await task.notes()).kept.get(`${manifest.id}-${manifest.token}`);
      throw new SavepointError(
        `Checkpoint ${manifest.id} of job "${ref.job}" is a savepoint already: "${before?.name ?? manifest.id}".`,
      );
    }
    const isStill = (await task.manifests()).some(
      ({ manifest: other }) => other.id === manifest.id && other.token === manifest.token,
    );
    if (isStill) return;
    // The job runs after all, and has gone on so far that this one was removed just now.
    await task.removeNote(keepNote(manifest));
    if (attempt === 3) throw new TimeoutError(`Checkpoints of job "${ref.job}" go faster than one can be kept.`);
  }
}

function chosen(stored: readonly StoredManifest[], ref: TaskRef, id: number | undefined): Manifest {
  const newest = newestConfirmed(stored);
  const { job, task } = ref;
  if (!newest) throw new SavepointError(`Task ${task} of job "${job}" has no committed checkpoint yet.`);
  if (hasChannels(newest) && restOf(newest) === undefined)
    throw new SavepointError(`Job "${job}": ${channelsRefusal}.`, { context: { ...ref } });
  if (id !== undefined) {
    const named = stored.find(({ manifest, confirmed }) => confirmed && manifest.id === id)?.manifest;
    if (!named) throw new SavepointError(`Task ${task} of job "${job}" has no committed checkpoint ${id}.`);
    return named;
  }
  const { kind } = identityOf(newest);
  if (kind !== 'store' && mayHaveDecidedMore(stored)) {
    throw new SavepointError(
      `A checkpoint after ${newest.id} of job "${job}" is prepared, and only ${kind} knows whether it counts. Start the job, ` +
        'which asks, and take the savepoint then; or name the older checkpoint, ' +
        `${newest.id}, to take that (--checkpoint ${newest.id}).`,
      { context: { ...ref, checkpointId: newest.id } },
    );
  }
  return newest;
}

function notRunning({ job, task }: TaskRef, newest: Manifest | undefined): SavepointError {
  const state = newest ? `its newest committed checkpoint is ${newest.id}` : 'it has no committed checkpoint';
  return new SavepointError(
    `Nobody who runs task ${task} of job "${job}" has answered, so there is nothing to stop; ${state}. ` +
      'A savepoint of that is made without a stop.',
    { context: { job, task } },
  );
}

function nameOfNow(): string {
  const [date = '', time = ''] = new Date().toISOString().split('T');
  return `s${date.replaceAll('-', '')}-${time.slice(0, 12).replaceAll(/[:.]/g, '')}`;
}
