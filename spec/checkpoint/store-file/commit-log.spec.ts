import { describe, expect, it } from 'vitest';
import { CommitLog, type Head } from '../../../lib/checkpoint/store-file/commit-log.ts';
import type { FileSystem } from '../../../lib/checkpoint/store-file/file-system.ts';
import { StateLostError } from '../../../lib/errors.ts';
import { FakeDisk } from './fake-disk.ts';

const ref = { job: 'j', task: '0' };

async function fresh() {
  const disk = new FakeDisk(() => true);
  const fs = disk.mount(() => {});
  await fs.makeFolder('/t/tmp');
  const log = new CommitLog(fs, ref, '/t');
  await log.create();
  return { disk, fs, log };
}

const headOf = async (log: CommitLog): Promise<Head> => {
  const head = await log.head();
  if (!head) throw new Error('no head');
  return head;
};

/** Appends `count` entries and deletes the old ones, as checkpoints do. */
async function advance(log: CommitLog, token: number, count: number): Promise<Head> {
  for (let i = 0; i < count; i++) await log.append(await headOf(log), token, []);
  const head = await headOf(log);
  await log.trim(head);
  return head;
}

describe('the commit log', () => {
  it('has no head before it is created, and creating it twice changes nothing', async () => {
    const fs = new FakeDisk(() => true).mount(() => {});
    await fs.makeFolder('/t/tmp');
    const log = new CommitLog(fs, ref, '/t');
    expect(await log.head()).toBeUndefined();
    await log.create();
    await advance(log, 3, 2);
    await new CommitLog(fs, ref, '/t').create();
    expect((await headOf(new CommitLog(fs, ref, '/t'))).entry).toMatchObject({ slot: 2, token: 3 });
  });

  it('lets one of two win that build on the same entry', async () => {
    const { fs, log } = await fresh();
    const base = await headOf(log);
    const other = new CommitLog(fs, ref, '/t');
    expect(await log.append(base, 1, [])).toBeDefined();
    expect(await other.append(base, 1, [])).toBeUndefined();
  });

  it('keeps the newest two entries', async () => {
    const { disk, log } = await fresh();
    await advance(log, 1, 5);
    expect(disk.namesIn('/t/commits')).toEqual(['4', '5']);
    expect(disk.namesIn('/t/tmp')).toEqual([]);
  });

  it('refuses an entry in a slot that was filled and deleted long ago', async () => {
    const { fs, log } = await fresh();
    const old = await advance(log, 1, 3);
    const zombie = new CommitLog(fs, ref, '/t');
    await advance(log, 2, 7);
    expect(await fs.exists('/t/commits/4')).toBe(false);
    expect(await zombie.append(old, 1, [{ id: 9, token: 1 }])).toBeUndefined();
    expect((await headOf(log)).entry).toMatchObject({ slot: 10, token: 2, confirmed: [] });
  });

  it('is not deceived by such entries when a listing shows nothing else', async () => {
    const { fs, log } = await fresh();
    const older = await advance(log, 1, 2);
    const old = await advance(log, 1, 1);
    await advance(log, 2, 7);
    await new CommitLog(fs, ref, '/t').append(older, 1, [{ id: 8, token: 1 }]);
    await new CommitLog(fs, ref, '/t').append(old, 1, [{ id: 9, token: 1 }]);
    // A listing during which entries 9 and 10 went and newer ones came need not show any of them.
    for (const leftovers of [['3'], ['3', '4']]) {
      let listings = 0;
      const racing: FileSystem = { ...fs, list: async path => (++listings === 1 ? leftovers : fs.list(path)) };
      expect((await headOf(new CommitLog(racing, ref, '/t'))).entry).toMatchObject({ slot: 10, token: 2 });
      expect(listings).toBe(2);
    }
  });

  it('notices that the entry it knows is no longer the newest while both are being deleted', async () => {
    const { fs } = await fresh();
    const other = new CommitLog(fs, ref, '/t');
    let afterNextStep = async () => {};
    const stepping = async () => {
      const work = afterNextStep;
      afterNextStep = async () => {};
      await work();
    };
    const slow: FileSystem = {
      ...fs,
      exists: path => fs.exists(path).finally(stepping),
      read: path => fs.read(path).finally(stepping),
    };
    const reader = new CommitLog(slow, ref, '/t');
    await reader.head();
    for (let i = 0; i < 4; i++) await other.append(await headOf(other), 2, []);
    afterNextStep = async () => other.trim(await headOf(other));
    expect((await headOf(reader)).entry.slot).toBe(4);
  });

  it('counts an entry as written whose link answered "exists" although it was made', async () => {
    const { fs, log } = await fresh();
    const base = await headOf(log);
    const forgetful: FileSystem = {
      ...fs,
      link: async (from, to) => {
        await fs.link(from, to);
        return 'exists';
      },
    };
    expect(await new CommitLog(forgetful, ref, '/t').append(base, 1, [])).toMatchObject({ entry: { slot: 1 } });
  });

  it('refuses to go on when its folder is removed while it is in use', async () => {
    const { fs, log } = await fresh();
    await advance(log, 1, 5);
    await fs.remove('/t/commits');
    await expect(log.head()).rejects.toThrow(StateLostError);
    await expect(log.head()).rejects.toThrow(/is gone/);
  });

  it.each([
    ['damaged', async (fs: FileSystem) => overwrite(fs, '/t/commits/5', '{"checksum":"'), /commits\/5 is damaged/],
    ['without its predecessor', async (fs: FileSystem) => fs.remove('/t/commits/4'), /does not hold together/],
    ['empty', async (fs: FileSystem) => emptied(fs), /is empty/],
  ])('refuses to go on when it is %s', async (_, harm, message) => {
    const { fs, log } = await fresh();
    await advance(log, 1, 5);
    await harm(fs);
    const reader = new CommitLog(fs, ref, '/t');
    await expect(reader.head()).rejects.toThrow(StateLostError);
    await expect(reader.head()).rejects.toThrow(message);
  });
});

async function overwrite(fs: FileSystem, path: string, text: string): Promise<void> {
  await fs.remove(path);
  await fs.write(path, Buffer.from(text));
}

async function emptied(fs: FileSystem): Promise<void> {
  for (const name of (await fs.list('/t/commits')) ?? []) await fs.remove(`/t/commits/${name}`);
}
