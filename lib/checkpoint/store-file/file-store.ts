import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StoreRefusedError } from '../../errors.ts';
import type { SnapshotStore, StoreNotice, TaskRef } from '../snapshot-store.ts';
import { CommitLog } from './commit-log.ts';
import { fileFailure } from './file-failure.ts';
import type { FileSystem } from './file-system.ts';
import { FileTask } from './file-task.ts';
import { folderName } from './folder-name.ts';
import { nodeFileSystem } from './node-file-system.ts';

/**
 * A snapshot store in a folder of a local disk: `<directory>/<job>/<task>/`. Committed checkpoints survive a crash of the
 * process and of the machine, and processes that share the folder fence each other off without a lock.
 */
export function fileStore(directory: string, fs: FileSystem = nodeFileSystem): SnapshotStore {
  const root = resolve(directory);
  const tasks = new Map<string, FileTask>();
  const pathOf = ({ job, task }: TaskRef) => join(root, folderName(job), folderName(task));
  return {
    kind: 'file',
    location: root,
    check: () => check(root, fs),
    task(ref) {
      const path = pathOf(ref);
      const task = tasks.get(path) ?? new FileTask(fs, ref, path);
      tasks.set(path, task);
      return task;
    },
    tasks: () => tasksIn(root, fs),
    close() {},
  };
}

async function tasksIn(root: string, fs: FileSystem): Promise<TaskRef[]> {
  const found: TaskRef[] = [];
  for (const job of (await fs.list(root)) ?? []) {
    for (const task of (await fs.list(join(root, job))) ?? []) {
      const folder = join(root, job, task);
      if ((await fs.list(folder))?.includes('commits') !== true) continue;
      const head = await new CommitLog(fs, { job, task }, folder).head();
      if (head && head.entry.token > 0) found.push({ job: head.entry.job, task: head.entry.task });
    }
  }
  return found;
}

async function check(root: string, fs: FileSystem): Promise<readonly StoreNotice[]> {
  await fs.makeFolder(root);
  const probe = join(root, `.check-${randomUUID()}`);
  try {
    await fs.write(probe, Buffer.from('tidemark'));
    if ((await fs.link(probe, `${probe}-link`)) !== 'done') {
      throw new StoreRefusedError(`The file store could not link files in ${root}: choose a folder on a local disk.`);
    }
    await fs.sync(root);
  } finally {
    await fs.remove(`${probe}-link`);
    await fs.remove(probe);
  }
  return noticesFor(root);
}

/** What a file system of this type (`statfs`) means for the state, where that is worth a word. */
const concerns: Record<number, string> = {
  16914836: 'a file system in memory (tmpfs): state is lost when the machine restarts',
  2240043254: 'a file system in memory (ramfs): state is lost when the machine restarts',
  26985: 'NFS: run the task on one machine only, fencing between machines is not relied upon there',
  4283649346: 'CIFS: run the task on one machine only, fencing between machines is not relied upon there',
  4266872130: 'SMB: run the task on one machine only, fencing between machines is not relied upon there',
};

async function noticesFor(root: string): Promise<readonly StoreNotice[]> {
  try {
    const concern = concerns[(await statfs(root)).type >>> 0];
    return concern === undefined ? [] : [{ level: 'warn', message: `The file store ${root} is on ${concern}.` }];
  } catch (error) {
    throw fileFailure('inspect', root, error);
  }
}
