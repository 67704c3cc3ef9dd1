import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Sink } from '../../lib/index.ts';
import { FileError, fileError, reasonOf } from './errors.ts';
import { type FileSinkOptions, type SinkSettings, sinkSettings } from './options.ts';
import { AppendingWriter } from './sink/appending.ts';
import { ExactlyOnceWriter } from './sink/exactly-once.ts';

/**
 * Writes one line a record to a file. With `exactly-once` (default) the file shows what committed checkpoints wrote and
 * nothing else, also after a crash in the middle of a write.
 */
export function fileSink<T>(options: FileSinkOptions<T>): Sink<T> {
  const settings = sinkSettings(options);
  return {
    kind: 'file',
    name: settings.name,
    guarantee: settings.guarantee,
    check: () => verifyWritable(settings),
    open(context) {
      const ofTask = { ...settings, path: settings.path.replaceAll('{task}', context.task) };
      return settings.guarantee === 'exactly-once'
        ? new ExactlyOnceWriter<T>(ofTask, context)
        : new AppendingWriter<T>(ofTask, context);
    },
  };
}

/** Throws a `FileError` when the file, or the folder where it will be made, cannot be written. */
async function verifyWritable({ path }: SinkSettings): Promise<void> {
  try {
    const found = await statOf(path);
    if (found?.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    if (found) await access(path, constants.R_OK | constants.W_OK);
    let folder = dirname(resolve(path));
    for (let above = await statOf(folder); !above; above = await statOf(folder)) folder = dirname(folder);
    if (!(await stat(folder)).isDirectory()) throw new FileError(`"${folder}" is not a folder`, 'ENOTDIR');
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
