import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

const require = createRequire(import.meta.url);

/** On what a result was measured. */
export interface Environment {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
}

export function environment(): Environment {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    packages: Object.fromEntries(
      ['rxjs', 'immer', 'msgpackr', 'ioredis', 'kafkajs'].map(name => [name, versionOf(name)]),
    ),
  };
}

/** Processes that wanted a core, on average over the last minute: above the number of cores, figures are too low. */
export const load = (): number => Math.round((loadavg()[0] as number) * 100) / 100;

function versionOf(name: string): string {
  const paths = require.resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      return (require(`${path}/${name}/package.json`) as { version: string }).version;
    } catch {
      // Not in this folder: the next one up.
    }
  }
  return 'unknown';
}
