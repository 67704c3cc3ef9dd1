import type { TaskStore } from '../checkpoint/snapshot-store.ts';
import { OtherGroupError } from '../errors.ts';

/** The note beside the state of a task that says whose processes took it last. */
const noteName = 'group';

/**
 * Says that processes of this group take the task from now on, before they take its fence; answers the group that had it before, where
 * that was another.
 */
export async function noteGroup(store: TaskStore, group: string): Promise<string | undefined> {
  const before = await notedGroup(store);
  if (before === group) return undefined;
  if (before !== undefined) await store.removeNote(noteName);
  // Where somebody was faster, it is for the fence to say who has the task, and for the other then to look at this note.
  if (!(await store.putNote(noteName, group))) {
    await store.removeNote(noteName);
    await store.putNote(noteName, group);
  }
  return before;
}

/** What a task that has lost its fence ends with where processes of another group have it: `undefined` where those of its own have. */
export async function takenByOtherGroup(
  store: TaskStore,
  { job, task, group }: { readonly job: string; readonly task: string; readonly group: string },
): Promise<OtherGroupError | undefined> {
  const other = await notedGroup(store);
  if (other === undefined || other === group) return undefined;
  return new OtherGroupError(
    `Task ${task} of the job "${job}" was taken over by a process of the group "${other}", and this process is of the group "${group}": ` +
      'two groups that share the tasks of one job take them from each other for ever. Give all processes the same group (members.group), or ' +
      'those of one group another name for the job. To change the group of a job, stop all of its processes before the first with the ' +
      'new one starts.',
    { context: { job, task, group, otherGroup: other } },
  );
}

async function notedGroup(store: TaskStore): Promise<string | undefined> {
  return (await store.notes()).find(({ name }) => name === noteName)?.text;
}
