import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskRef, TaskStore } from '../../../lib/checkpoint/snapshot-store.ts';
import type { FileSystem } from '../../../lib/checkpoint/store-file/file-system.ts';
import { fileStore } from '../../../lib/checkpoint/store-file/index.ts';
import { StoreUnavailableError } from '../../../lib/errors.ts';
import { briefly, bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';
import { FakeDisk, Killed } from './fake-disk.ts';

const ref: TaskRef = { job: 'j', task: '0' };

/** What an incarnation was told before it died. */
interface Known {
  token: number;
  /** The newest checkpoint whose commit was answered, or that a start came back from, and what it named. */
  committed: { id: number; segments: readonly string[] };
  /** Whose commit was asked for last. */
  asked: number;
}

/** Recovers, then takes checkpoints whose chains of segments overlap, and collects; until it is killed. */
async function live(task: TaskStore, known: Known): Promise<void> {
  const token = await task.acquireFence(0);
  known.token = token;
  const newest = (await task.manifests()).findLast(({ confirmed }) => confirmed)?.manifest;
  let chain = newest?.actors.totals?.segments.map(({ name }) => name) ?? [];
  // What was under way when the one before died is decided now, for good.
  known.committed = { id: newest?.id ?? 0, segments: chain };
  let id = Math.max(known.asked, newest?.id ?? 0);
  for (let i = 0; i < 4; i++) {
    const before = (await task.manifests()).filter(({ confirmed }) => confirmed).map(({ manifest }) => manifest.id);
    id++;
    const name = segment(id, token);
    await task.putSegment(token, name, bytesOf(name));
    if (i === 2) continue; // abandoned before it was prepared
    chain = [...chain.slice(-2), name];
    await task.prepare(token, manifestOf(ref, token, id, chain));
    known.asked = id;
    await task.confirm(token, id);
    known.committed = { id, segments: chain };
    await task.collect(token, before.slice(0, -1));
  }
}

async function check(task: TaskStore, known: Known): Promise<void> {
  expect(await task.fence()).toBeGreaterThanOrEqual(known.token);
  const stored = await task.manifests();
  const confirmed = stored.filter(each => each.confirmed).map(({ manifest }) => manifest);
  const newest = confirmed.at(-1);
  expect([known.committed.id, known.asked]).toContain(newest?.id ?? 0);
  if (newest?.id === known.committed.id) {
    expect(newest.actors.totals?.segments.map(({ name }) => name)).toEqual(known.committed.segments);
  }
  for (const manifest of confirmed) {
    for (const { name } of manifest.actors.totals?.segments ?? []) {
      expect(await task.getSegment(name), `segment ${name} of ${manifest.id}`).toEqual(bytesOf(name));
    }
  }
}

/** How many steps a whole life takes. */
async function stepsOfALife(): Promise<number> {
  let steps = 0;
  const disk = new FakeDisk(() => true);
  await live(
    fileStore(
      '/s',
      disk.mount(() => void steps++),
    ).task(ref),
    fresh(),
  );
  return steps;
}

const fresh = (): Known => ({ token: 0, committed: { id: 0, segments: [] }, asked: 0 });

describe('the file store after a crash', () => {
  const crash = async (killedAt: readonly number[], seed: number, losesPower: (life: number) => boolean) => {
    let random = seed;
    const chance = () => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (random >> 16) % 2 === 0;
    };
    const disk = new FakeDisk(chance);
    const known = fresh();
    for (const [life, steps] of killedAt.entries()) {
      let left = steps;
      const turn = () => {
        if (left-- <= 0) throw new Killed();
      };
      await live(fileStore('/s', disk.mount(turn)).task(ref), known).catch(error => {
        if (!(error instanceof Killed)) throw error;
      });
      if (losesPower(life)) disk.losePower();
      await check(
        fileStore(
          '/s',
          disk.mount(() => {}),
        ).task(ref),
        known,
      );
    }
    return { disk, known };
  };

  it('has everything that was committed, at whichever step the process is killed', async () => {
    const steps = await stepsOfALife();
    for (let at = 0; at <= steps; at++) await crash([steps, at], at, () => false);
  });

  it('has everything that was committed, at whichever step the power fails', async () => {
    const steps = await stepsOfALife();
    for (let at = 0; at <= steps; at++)
      for (const seed of [1, 2, 3]) await crash([at, steps], seed * 7_919 + at, () => true);
  });

  it('has everything that was committed after several crashes in a row', async () => {
    const steps = await stepsOfALife();
    const lives = fc.array(fc.nat(steps), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(lives, fc.nat(), fc.nat(63), async (killedAt, seed, outages) => {
        await crash(killedAt, seed, life => ((outages >> life) & 1) === 1);
      }),
      { numRuns: 300 },
    );
  });

  it('makes a commit durable that is asked for again, when making it so failed the first time', async () => {
    const disk = new FakeDisk(() => false);
    const fs = disk.mount(() => {});
    let isBroken = false;
    const failing: FileSystem = {
      ...fs,
      sync: async folder => {
        if (isBroken && folder.endsWith('commits')) throw new StoreUnavailableError('EIO');
        await fs.sync(folder);
      },
    };
    const task = fileStore('/s', failing).task(ref);
    const token = await task.acquireFence(0);
    await task.prepare(token, manifestOf(ref, token, 1));
    isBroken = true;
    await expect(task.confirm(token, 1)).rejects.toThrow(StoreUnavailableError);
    isBroken = false;
    await task.confirm(token, 1);
    disk.losePower();
    expect(briefly(await fileStore('/s', fs).task(ref).manifests())).toEqual(['1-1']);
  });

  it('leaves nothing behind for good: the next lives clean up', async () => {
    const steps = await stepsOfALife();
    for (let at = 0; at <= steps; at += 3) {
      const { disk, known } = await crash([steps, at], at, () => at % 2 === 0);
      const task = fileStore(
        '/s',
        disk.mount(() => {}),
      ).task(ref);
      await live(task, known);
      expect(disk.namesIn('/s/j/0/tmp')).toEqual([]);
      expect(disk.namesIn('/s/j/0/commits')).toHaveLength(2);
      const stored = await task.manifests();
      expect(disk.namesIn('/s/j/0/manifests')).toHaveLength(stored.length);
      const named = stored.flatMap(({ manifest }) => manifest.actors.totals?.segments.map(({ name }) => name) ?? []);
      const abandoned = segment(known.asked - 1, known.token);
      expect(disk.namesIn('/s/j/0/segments')).toEqual([...new Set([...named, abandoned])].sort());
    }
  });
});
