import { createHash, randomUUID } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { decodeManifest, encodeManifest } from '../checkpoint/manifest.ts';
import { folderName } from '../checkpoint/store-file/folder-name.ts';
import { nodeFileSystem as fs } from '../checkpoint/store-file/node-file-system.ts';
import { SavepointError, StateLostError } from '../errors.ts';
import { segmentBytes } from './copy-segments.ts';
import type { SavedTask, Savepoint } from './savepoint.ts';

// manifest.json: {"checksum":"…","savepoint":{"format":1,"job":…,"name":…,"createdAt":…,"tasks":["<manifest as in a store>",…]}}
// segments/<task>/<name>: the segments, as in a store.

const digest = (body: string): string => createHash('sha256').update(body).digest('hex');

/** Writes a savepoint as a directory that needs nothing else; it is there whole, or not at all. */
export async function exportSavepoint(savepoint: Savepoint, directory: string): Promise<string> {
  const target = resolve(directory);
  if (await fs.exists(target)) throw taken(target);
  await fs.makeFolder(dirname(target));
  const temporary = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    await fs.makeFolder(temporary);
    for (const task of savepoint.tasks) await exportSegments(task, join(temporary, 'segments'));
    const { job, name, createdAt } = savepoint;
    const tasks = savepoint.tasks.map(({ manifest }) => encodeManifest(manifest));
    const body = JSON.stringify({ format: 1, job, name, createdAt, tasks });
    const text = `{"checksum":"${digest(body)}","savepoint":${body}}\n`;
    await fs.write(join(temporary, 'manifest.json'), Buffer.from(text));
    await fs.sync(temporary);
    if ((await fs.moveFolder(temporary, target)) !== 'done') throw taken(target);
  } catch (error) {
    await fs.remove(temporary);
    throw error;
  }
  await fs.sync(dirname(target));
  return target;
}

async function exportSegments(task: SavedTask, segments: string): Promise<void> {
  const folder = join(segments, folderName(task.manifest.task));
  await fs.makeFolder(folder);
  for (const [actor, entry] of Object.entries(task.manifest.actors)) {
    for (const segment of entry.segments) {
      await fs.write(join(folder, segment.name), await segmentBytes(task, segment, actor));
    }
  }
  await fs.sync(folder);
}

const taken = (target: string): SavepointError =>
  new SavepointError(`${target} exists already: a savepoint is written to a directory of its own.`);

/** Whether there is a savepoint in a directory. */
export function isSavepointDirectory(directory: string): Promise<boolean> {
  return fs.exists(join(resolve(directory), 'manifest.json'));
}

/** Reads what `exportSavepoint` wrote; segments are read, and verified, when they are asked for. */
export async function readSavepointDirectory(directory: string): Promise<Savepoint> {
  const where = resolve(directory);
  const path = join(where, 'manifest.json');
  const bytes = await fs.read(path);
  if (!bytes) throw new SavepointError(`There is no savepoint in ${where}: it has no manifest.json.`);
  const found = /^\{"checksum":"([0-9a-f]{64})","savepoint":(.*)\}\n$/s.exec(Buffer.from(bytes).toString());
  if (!found || digest(found[2] as string) !== found[1]) {
    throw new StateLostError(`${path} is damaged: its checksum does not match. Take it from a copy.`);
  }
  const { format, job, name, createdAt, tasks } = JSON.parse(found[2] as string);
  if (format !== 1) {
    throw new StateLostError(
      `${path} has format ${format}, which this version of Tidemark does not read. Run a newer one.`,
    );
  }
  return {
    job,
    name,
    createdAt,
    where,
    tasks: (tasks as string[]).map((text): SavedTask => {
      const manifest = decodeManifest(text, path);
      const folder = join(where, 'segments', folderName(manifest.task));
      const isPlain = (segment: string) => /^[A-Za-z0-9_-]+$/.test(segment);
      return {
        manifest,
        getSegment: segment => (isPlain(segment) ? fs.read(join(folder, segment)) : undefined),
      };
    }),
  };
}
