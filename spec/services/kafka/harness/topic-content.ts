import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A record as `kcat` shows it. */
export interface ReadRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string;
}

/**
 * All records of a topic that are there now, of each partition in order, as librdkafka reads them: a second opinion on what
 * is committed. Keys and values must be texts without line ends and bars.
 */
export async function contentOf(
  brokers: string,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Promise<ReadRecord[]> {
  const options = ['-X', `isolation.level=${isolation}`, '-X', 'check.crcs=true', '-o', 'beginning', '-e', '-q'];
  const { stdout } = await run('kcat', ['-C', '-b', brokers, '-t', topic, ...options, '-f', '%p|%k|%s\n'], {
    maxBuffer: 256 * 1024 * 1024,
    timeout: 30_000,
  });
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [partition, key = '', value = ''] = line.split('|');
      return { partition: Number(partition), key, value };
    });
}

/** The values of each key, in order. */
export function byKey(records: readonly ReadRecord[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { key, value } of records) {
    const ofKey = found.get(key);
    if (ofKey) ofKey.push(value);
    else found.set(key, [value]);
  }
  return found;
}
