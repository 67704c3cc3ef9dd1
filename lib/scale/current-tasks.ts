import type { Manifest, TaskLayout } from '../checkpoint/manifest.ts';
import { newestConfirmed } from '../checkpoint/recovery-decision.ts';
import type { SnapshotStore, StoredManifest } from '../checkpoint/snapshot-store.ts';
import { andThen, eachInOrder, type MaybePromise } from '../maybe-promise.ts';

/** What a store has of one task. */
export interface StoredTask {
  readonly task: string;
  readonly manifests: readonly StoredManifest[];
}

/** The tasks whose state is that of the job: others are left over from before it was spread anew. */
export interface CurrentTasks {
  /** How they are spread; `undefined`: the job is one task. */
  readonly layout: Omit<TaskLayout, 'index'> | undefined;
  readonly tasks: readonly StoredTask[];
  /** Tasks that have nothing stored. */
  readonly missing: readonly string[];
}

/**
 * Which of the stored tasks of a job are its present ones; `undefined` where nothing is stored. Pure. A spread begins above all ids
 * that there are, so the highest belongs to the last one.
 */
export function currentTasks(stored: readonly StoredTask[]): CurrentTasks | undefined {
  const newest = stored.flatMap(one => {
    const manifest = newestOf(one);
    return manifest ? [{ one, manifest }] : [];
  });
  const [first, ...others] = newest;
  if (!first) return undefined;
  const top = others.reduce((highest, next) => (next.manifest.id > highest.manifest.id ? next : highest), first);
  const { tasks: layout } = top.manifest;
  const present = newest.filter(
    ({ manifest: { tasks } }) => (tasks === undefined) === (layout === undefined) && tasks?.spread === layout?.spread,
  );
  const names = layout ? Array.from({ length: layout.count }, (_, index) => `${index}`) : [];
  return {
    layout: layout && shapeOf(layout),
    tasks: present.map(({ one }) => one),
    missing: names.filter(name => !present.some(({ one }) => one.task === name)),
  };
}

/** What the tasks of a job have in common. */
export const shapeOf = ({ index, ...shape }: TaskLayout): Omit<TaskLayout, 'index'> => shape;

/** What is newest of each, committed or not. */
export const newestOfAll = (tasks: readonly StoredTask[]): readonly Manifest[] =>
  tasks.flatMap(task => newestOf(task) ?? []);

/** Prepared ones included: what decides may have decided it. */
const newestOf = ({ manifests }: StoredTask): Manifest | undefined =>
  manifests.reduce<Manifest | undefined>(
    (top, { manifest }) => (top === undefined || manifest.id > top.id ? manifest : top),
    undefined,
  );

/** The newest committed manifests of tasks. */
export const committedOf = (tasks: readonly StoredTask[]): readonly Manifest[] =>
  tasks.flatMap(({ manifests }) => newestConfirmed(manifests) ?? []);

/** All that a store has of a job. */
export function storedTasks(store: SnapshotStore, job: string): MaybePromise<readonly StoredTask[]> {
  const found: StoredTask[] = [];
  return andThen(store.tasks(), refs =>
    andThen(
      eachInOrder(
        refs.filter(ref => ref.job === job),
        ref => andThen(store.task(ref).manifests(), manifests => void found.push({ task: ref.task, manifests })),
      ),
      () => found,
    ),
  );
}
