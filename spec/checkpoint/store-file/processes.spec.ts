import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStore } from '../../../lib/checkpoint/store-file/index.ts';
import { bytesOf } from '../../contract/snapshot-store.manifests.ts';

interface Report {
  readonly acquired: readonly number[];
  readonly committed: readonly { readonly id: number; readonly token: number }[];
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-race-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const racer = async (lives: number, commits: number): Promise<Report> => {
  const program = join(import.meta.dirname, 'racer.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, directory, `${lives}`, `${commits}`]);
  return JSON.parse(stdout) as Report;
};

describe('several processes on one task of the file store', () => {
  it('hand the fence to one another without losing or repeating a checkpoint', { timeout: 60_000 }, async () => {
    const reports = await Promise.all([racer(10, 8), racer(10, 8), racer(10, 8)]);

    const acquired = reports.flatMap(report => report.acquired);
    expect(acquired.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const committed = reports.flatMap(report => report.committed).toSorted((a, b) => a.id - b.id);
    expect(committed).not.toEqual([]); // the last one alive commits
    expect(new Set(committed.map(({ id }) => id)).size).toBe(committed.length);
    expect(committed.map(({ token }) => token)).toEqual(committed.map(({ token }) => token).sort((a, b) => a - b));

    const task = fileStore(directory).task({ job: 'race', task: '0' });
    const newest = (await task.manifests()).findLast(({ confirmed }) => confirmed)?.manifest;
    // One more than anybody heard of may be committed: its writer was fenced before the answer.
    expect(newest?.id).toBeGreaterThanOrEqual(committed.at(-1)?.id ?? 0);
    for (const { name } of newest?.actors.totals?.segments ?? []) {
      expect(await task.getSegment(name)).toEqual(bytesOf(name));
    }
    await task.acquireFence(0);
    expect(readdirSync(join(directory, 'race/0/tmp'))).toEqual([]);
  });
});
