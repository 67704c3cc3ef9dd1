import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { exportSavepoint, memoryStore } from '../../lib/index.ts';
import { collected } from '../scale/collected.ts';
import { CountingJobs, running } from './counting-jobs.ts';

it('a job with repartition goes on in several tasks from a savepoint of one task, each key in the task that its channel leads to', async () => {
  await using jobs = new CountingJobs({ hasRepartition: true });
  const single = jobs.run({ tasks: 'single' });
  jobs.feed(2);
  await jobs.counted(single);
  await jobs.stopWith('one', single);
  jobs.feed();

  const several = jobs.run({ fromSavepoint: 'one' });
  await running(several, 4);
  await jobs.counted(several);
  await several.stop();
  jobs.feed();
  // The same argument again: it goes on from where it was, with what is on its way.
  const again = jobs.run({ fromSavepoint: 'one' });
  await running(again, 4);
  jobs.feed();
  await jobs.counted(again);
  jobs.expectExact();
});

it('reads nothing that an earlier run has left in its channels', async () => {
  await using jobs = new CountingJobs({ hasRepartition: true });
  const single = jobs.run({ tasks: 'single' });
  jobs.feed(2);
  await jobs.counted(single);
  const savepoint = await jobs.stopWith('one', single);
  const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-'));
  try {
    const directory = path.join(folder, 'one');
    await exportSavepoint(savepoint, directory);
    const before = jobs.run({ fromSavepoint: 'one' });
    await running(before, 4);
    jobs.feed();
    await jobs.counted(before);
    await before.stop();

    // Its store is lost: what lies in the channels belongs to no state any more.
    jobs.store = memoryStore();
    jobs.output = collected();
    const after = jobs.run({ fromSavepoint: directory });
    await running(after, 4);
    jobs.feed();
    await expect.poll(() => jobs.output.values.length, { timeout: 15_000 }).toBe(48);
    jobs.expectExact(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});
