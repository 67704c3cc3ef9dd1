import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSavepoint, type JobSettings } from '../../lib/index.ts';
import { CountingJobs, running } from './counting-jobs.ts';

let jobs: CountingJobs;
beforeEach(() => {
  jobs = new CountingJobs();
});
afterEach(() => jobs[Symbol.asyncDispose]());

/** Two rounds, a savepoint, and one round more; then it is stopped. */
async function goneOn(): Promise<void> {
  const handle = jobs.run();
  await running(handle, 4);
  jobs.feed(2);
  await jobs.counted(handle);
  await createSavepoint(jobs.store, 'counts', { name: 'two' });
  await running(handle, 4);
  jobs.feed();
  await jobs.counted(handle);
  await handle.stop();
  jobs.expectExact();
}
/** What the refusal says has to be given up. */
async function named(settings: JobSettings): Promise<number[]> {
  const error: Error = await jobs.run(settings).done.then(
    outcome => Promise.reject(new Error(`it has ${outcome}`)),
    refused => refused,
  );
  expect(error.message).toContain('would be forgotten, and written again');
  const [, ids = ''] = /--rewind (\d+(?:,\d+)*)/.exec(error.message) ?? [];
  return ids.split(',').map(Number);
}

it.each([
  ['as many tasks', {}, 4, false],
  ['other numbers of tasks', { maxTasks: 3 }, 3, false],
  ['as many tasks behind a repartition', {}, 4, true],
  ['other numbers of tasks behind a repartition', { maxTasks: 3 }, 3, true],
] as const)('in %s gives up what was named, once', async (_, shape, count, hasRepartition) => {
  jobs = new CountingJobs({ hasRepartition });
  await goneOn();
  const from = { fromSavepoint: 'two', ...shape };
  const rewind = await named(from);
  expect(rewind).toHaveLength(4);
  // Less than what there is, or fewer tasks, is not what there is to give up.
  for (const wrong of [rewind.map((id, i) => (i === 2 ? id - 1 : id)), rewind.slice(1), [rewind[0] ?? 0]]) {
    expect(await named({ ...from, recovery: { rewind: wrong } })).toEqual(rewind);
  }
  const back = { ...from, recovery: { rewind } };
  for (let round = 1; round <= 3; round++) {
    const handle = jobs.run(back);
    await running(handle, count);
    // The third round is read again; each start with the same words goes on behind it.
    jobs.feed();
    await jobs.written(jobs.rounds + 1, handle);
    await handle.stop();
  }
  jobs.expectCounts([1, 2, 3, 3, 4, 5, 6]);
  // Without any words it goes on, too, and with those of a start that did not go back it does not.
  expect(await named(from)).toHaveLength(count);
  const handle = jobs.run(shape);
  await running(handle, count);
  jobs.feed();
  await jobs.written(jobs.rounds + 1, handle);
  await handle.stop();
  jobs.expectCounts([1, 2, 3, 3, 4, 5, 6, 7]);
  // Back again, from what there is by now.
  const second = await named(from);
  const again = jobs.run({ ...from, recovery: { rewind: second } });
  await running(again, count);
  await jobs.written(jobs.rounds * 2 - 1, again);
  jobs.expectCounts([1, 2, 3, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7]);
});

it('goes on with it where it ended between the first checkpoints of its tasks', async () => {
  await goneOn();
  const rewind = await named({ fromSavepoint: 'two' });
  const back = { fromSavepoint: 'two', recovery: { rewind } };
  for (let n = 0; n < 2; n++) {
    const handle = jobs.run({ ...back, checkpoint: { interval: 'off' } });
    await firstValueFrom(handle.checkpoints$);
    await handle.cancel();
  }
  const handle = jobs.run(back);
  await running(handle, 4);
  jobs.feed();
  await jobs.written(jobs.rounds + 1, handle);
  jobs.expectCounts([1, 2, 3, 3, 4]);
});

it('from several tasks to one, and from one to several', async () => {
  await goneOn();
  const from: JobSettings = { tasks: 'single', fromSavepoint: 'two' };
  const single = jobs.run({ ...from, recovery: { rewind: await named(from) } });
  jobs.feed();
  await jobs.written(jobs.rounds + 1, single);
  await single.stop();
  jobs.expectCounts([1, 2, 3, 3, 4]);
  const spread: JobSettings = { fromSavepoint: 'two' };
  const rewind = await named(spread);
  expect(rewind).toHaveLength(1);
  const several = jobs.run({ ...spread, recovery: { rewind } });
  await running(several, 4);
  jobs.feed();
  await jobs.written(jobs.rounds + 3, several);
  jobs.expectCounts([1, 2, 3, 3, 4, 3, 4, 5]);
});

it('ends a process that ran the job as it was, rather than mix its state with the other', async () => {
  await goneOn();
  const rewind = await named({ fromSavepoint: 'two' });
  const old = jobs.run();
  await running(old, 4);
  // It has gone on meanwhile, so that more is given up than was named.
  jobs.feed();
  await jobs.counted(old);
  await expect(jobs.run({ fromSavepoint: 'two', recovery: { rewind } }).done).rejects.toThrow('--rewind');
  await old.stop();
  jobs.expectExact();
});
