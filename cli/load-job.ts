import { readdirSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean } from '../lib/job/did-you-mean.ts';
import { isJob, type Job } from '../lib/job/job.ts';
import { UsageError } from './exit-code.ts';
import { explainLoadError } from './load-error.ts';

const moduleNames = ['job.ts', 'job.js', 'job.mts', 'job.mjs'];

/**
 * Imports the module at `given` (a folder means its `job.ts` or `job.js`) and gives its default export, as it is.
 * `UsageError` where there is no job to be found; `JobModuleError` where the module cannot be loaded.
 */
export async function loadJob(given: string, cwd: string): Promise<Job> {
  const file = moduleFile(given, cwd);
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    throw explainLoadError(error, file, given);
  }
  return jobIn(module, given);
}

/** The file that is meant; it exists. */
export function moduleFile(given: string, cwd: string): string {
  const file = path.resolve(cwd, given);
  const stats = statsOf(file);
  if (stats?.isFile()) return file;
  if (!stats) {
    const near = didYouMean(path.basename(file), entriesOf(path.dirname(file)));
    const hint = near ? ` Did you mean ${path.join(path.dirname(given), near)}?` : '';
    throw new UsageError(`There is no file or folder ${given}.${hint}`);
  }
  const found = moduleNames.find(name => statsOf(path.join(file, name))?.isFile());
  if (found) return path.join(file, found);
  throw new UsageError(`The folder ${given} has no job.ts or job.js. Name the file of the job itself.`);
}

function jobIn(module: Record<string, unknown>, given: string): Job {
  if (isJob(module.default)) return module.default;
  const named = Object.entries(module).find(([name, value]) => name !== 'default' && isJob(value));
  if (named) {
    throw new UsageError(
      `${given} exports a job as "${named[0]}" but has no job as its default export. Write: export default ${named[0]};`,
    );
  }
  throw new UsageError(
    'default' in module
      ? `The default export of ${given} is ${describe(module.default)}, not a job. Write: export default job('name', …)`
      : `${given} has no default export. Write: export default job('name', …)`,
  );
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? 'another object' : `a ${typeof value}`;
}

function statsOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
