import { createHash, randomUUID } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { decodeManifest, encodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { folderName } from '../checkpoint/store-file/folder-name.ts';
import { nodeFileSystem as fs } from '../checkpoint/store-file/node-file-system.ts';
import { SavepointError, StateLostError } from '../errors.ts';
import { segmentBytes } from './copy-segments.ts';
import type { SavedTask, Savepoint } from './savepoint.ts';

// manifest.json: {"checksum":"…","savepoint":{"format":1,"job":…,"name":…,"createdAt":…,"tasks":["<manifest as in a store>",…]}}
// segments/<task>/<name>: the segments, as in a store.

const digest = (body: string): string => createHash('sha256').update(body).digest('hex');

/** Writes a savepoint as a directory that needs nothing else; it is there whole, or not at all. Answers its path. */
export function exportSavepoint(savepoint: Savepoint, directory: string): Promise<string> {
  return writeDirectory(directory, async putSegment => {
    for (const task of savepoint.tasks) {
      for (const [actor, entry] of Object.entries(task.manifest.actors)) {
        for (const segment of entry.segments) {
          await putSegment(task.manifest.task, segment.name, await segmentBytes(task, segment, actor));
        }
      }
    }
    const { job, name, createdAt, tasks } = savepoint;
    return { job, name, createdAt, manifests: tasks.map(({ manifest }) => manifest) };
  });
}

/** What a directory says of its savepoint. */
export interface SavepointContent {
  readonly job: string;
  readonly name: string;
  readonly createdAt: number;
  readonly manifests: readonly Manifest[];
}

/** Writes a directory under a temporary name, then brings it in its place. */
export async function writeDirectory(
  directory: string,
  fill: (putSegment: (task: string, name: string, bytes: Uint8Array) => Promise<void>) => Promise<SavepointContent>,
): Promise<string> {
  const target = resolve(directory);
  if (await fs.exists(target)) throw taken(target);
  await fs.makeFolder(dirname(target));
  const temporary = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  const folders = new Set<string>();
  try {
    await fs.makeFolder(join(temporary, 'segments'));
    const { job, name, createdAt, manifests } = await fill(async (task, segment, bytes) => {
      const folder = join(temporary, 'segments', folderName(task));
      if (!folders.has(folder)) await fs.makeFolder(folder);
      folders.add(folder);
      await fs.write(join(folder, segment), bytes);
    });
    for (const folder of folders) await fs.sync(folder);
    const body = JSON.stringify({ format: 1, job, name, createdAt, tasks: manifests.map(encodeManifest) });
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
