import { createHash } from 'node:crypto';
import { type Manifest, manifestChecksum, type Origin } from '../checkpoint/manifest.ts';
import { mayHaveDecidedMore } from '../checkpoint/recovery-decision.ts';
import type { TaskRef } from '../checkpoint/snapshot-store.ts';
import { SavepointError } from '../errors.ts';
import { type CurrentTasks, committedOf, newestOfAll, type StoredTask } from '../scale/current-tasks.ts';
import type { SavedTask, Savepoint } from './savepoint.ts';

/** What a start is to begin from. */
interface Wanted {
  readonly savepoint: Savepoint;
  readonly origin: Origin;
  /**
   * `in place`: each task takes up what it had itself, and finds out by itself what is decided. Else all is spread anew, over `one` task or
   * over `several`.
   */
  readonly target: 'in place' | 'one' | 'several';
}

/** Checkpoints that a person gives up: the newest of each task of the job, in the order of the tasks. */
export type Rewind = readonly number[];

/** As settings have it: the id of one is that of the only task. */
export const rewindOf = (given: number | readonly number[] | undefined): Rewind | undefined =>
  typeof given === 'number' ? [given] : given;

/** Where the tasks of a job come from that goes back to a savepoint: not what they would have come from without that. */
export function rewoundOrigin(origin: Origin, rewind: Rewind): Origin {
  const digest = createHash('sha256').update(JSON.stringify([origin.checksum, rewind]));
  return { ...origin, checksum: digest.digest('hex') };
}

/** What a person has to name who gives up the present state of a job: the newest id of each task, prepared ones included. */
export function namesOf({ tasks }: Pick<CurrentTasks, 'tasks'>): Rewind {
  return newestOfAll(inOrder(tasks)).map(({ id }) => id);
}

/** Nothing is newer than what was named. */
export function isNamed(current: Pick<CurrentTasks, 'tasks'>, rewind: Rewind): boolean {
  const newest = namesOf(current);
  return newest.length === rewind.length && newest.every((id, i) => id <= (rewind[i] ?? 0));
}

/**
 * From where the tasks of a job begin that starts from a savepoint, as told by what is stored: the savepoint, or the savepoint with what was
 * given up for it. Pure. Throws a `SavepointError` where that gives up checkpoints that nobody has named.
 */
export function chosenOrigin(
  ref: TaskRef,
  current: CurrentTasks | undefined,
  wanted: Wanted & { readonly rewind: Rewind | undefined },
): Origin {
  const { origin, rewind } = wanted;
  if (current && rewind) {
    const rewound = rewoundOrigin(origin, rewind);
    // Going back is a spread of its own, also over as many tasks.
    const target = wanted.target === 'one' ? 'one' : 'several';
    if (isBegun(current, { ...wanted, origin: rewound, target })) return rewound;
    if (passedBy(current, wanted) && isNamed(current, rewind)) return rewound;
  }
  verifyNotPassed(ref, current, wanted);
  return origin;
}

/** Throws where the job has gone on since the savepoint: that would be forgotten, and written again. */
export function verifyNotPassed(ref: TaskRef, current: CurrentTasks | undefined, wanted: Wanted): void {
  const passed = current && passedBy(current, wanted);
  if (!current || !passed) return;
  const stays = outputStays(newestOfAll(current.tasks)[0]);
  const names = namesOf(current).join(',');
  throw new SavepointError(
    `The job "${ref.job}" ${passed}: started from it, what the job has done since would be forgotten, and written again.${stays} Run the job ` +
      'as it was, stop it with a savepoint (tidemark savepoint stop), and start from that; start under another name to keep both; or give up ' +
      `the newest ${current.tasks.length === 1 ? 'checkpoint of its task' : `checkpoints of its ${current.tasks.length} tasks`} for it ` +
      `(--rewind ${names}; recovery.rewind).`,
    { context: { ...ref } },
  );
}

/** What a person should know who gives up checkpoints, after a space. */
export const outputStays = (newest: Manifest | undefined): string =>
  newest?.commitPoint?.kind === 'kafka' ? ' Its output in Kafka cannot be taken back.' : '';

/** In words, what the job has that the savepoint has not; `undefined`: nothing. */
function passedBy(current: CurrentTasks, wanted: Wanted): string | undefined {
  const { savepoint, target } = wanted;
  if (isBegun(current, wanted)) return undefined;
  const ofIt = new Set(savepoint.tasks.map(({ manifest }: SavedTask) => manifestChecksum(manifest)));
  const descends = (manifest: Manifest) =>
    ofIt.has(manifestChecksum(manifest)) || (target === 'in place' && ofIt.has(manifest.origin?.checksum ?? ''));
  const passed = committedOf(current.tasks).find(manifest => !descends(manifest));
  if (passed) {
    return `has checkpoint ${passed.id} of task ${passed.task}, which does not descend from the savepoint "${savepoint.name}"`;
  }
  if (target === 'in place') return undefined;
  const undecided = current.tasks.find(({ manifests }) => mayHaveDecidedMore(manifests));
  return undecided && `may have decided more in task ${undecided.task} than the savepoint "${savepoint.name}" holds`;
}

/** Whether the present state of the job is what tasks of this form began from there: prepared ones included, which may be decided. */
function isBegun({ tasks, layout }: CurrentTasks, { origin: { checksum }, target }: Wanted): boolean {
  if (target === 'several') return layout?.spread === checksum;
  return target === 'one' && !layout && newestOfAll(tasks).some(({ origin }) => origin?.checksum === checksum);
}

const inOrder = (tasks: readonly StoredTask[]): readonly StoredTask[] =>
  [...tasks].sort((a, b) => Number(a.task) - Number(b.task) || (a.task < b.task ? -1 : 1));
