import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { TaskRef } from '../../lib/checkpoint/snapshot-store.ts';
import { FencedError } from '../../lib/errors.ts';
import type { StoreUnderTest } from './snapshot-store.fixture.ts';
import { bytesOf, manifestOf, segment } from './snapshot-store.manifests.ts';

const ref: TaskRef = { job: 'race', task: '0' };

interface Written {
  readonly token: number;
  readonly id: number;
  /** Moments on a common clock. */
  readonly began: number;
  readonly ended: number;
}

/**
 * Incarnations that start at about the same time, each through a store of its own, take the fence and commit until they are
 * fenced. Whoever is told "done" was the newest at some moment of the call, and what it committed is there.
 */
export async function survivesRaces(
  create: () => Promise<StoreUnderTest> | StoreUnderTest,
  runs: number,
): Promise<void> {
  const delays = fc.array(fc.nat(12), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 6 }), async (starts, commits) => {
      const underTest = await create();
      try {
        await race(underTest, starts, commits);
      } finally {
        await underTest.dispose();
      }
    }),
    { numRuns: Math.ceil(runs / 2) },
  );
}

async function race(underTest: StoreUnderTest, starts: readonly number[], commits: number): Promise<void> {
  let clock = 0;
  const acquired: Written[] = [];
  const committed: Written[] = [];

  const incarnation = async (delay: number) => {
    const task = underTest.open().task(ref);
    for (let i = 0; i < delay; i++) await task.fence(); // lets the others get on for a while
    let began = clock++;
    const token = await task.acquireFence(0);
    acquired.push({ token, id: 0, began, ended: clock++ });
    try {
      const stored = await task.manifests();
      let id = Math.max(0, ...stored.map(({ manifest }) => manifest.id));
      for (let i = 0; i < commits; i++) {
        id++;
        const name = segment(id, token);
        await task.putSegment(token, name, bytesOf(name));
        await task.prepare(token, manifestOf(ref, token, id, [name]));
        began = clock++;
        await task.confirm(token, id);
        committed.push({ token, id, began, ended: clock++ });
        if (i % 2 === 1) await task.collect(token, [id - 1]);
      }
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
    }
  };
  await Promise.all(starts.map(incarnation));

  expect(new Set(acquired.map(({ token }) => token)).size).toBe(starts.length);
  for (const { token, id, began } of committed) {
    const late = acquired.find(newer => newer.token > token && newer.ended < began);
    expect(late, `${id} was committed under ${token} after ${late?.token} had been handed out`).toBeUndefined();
  }
  const inOrder = committed.toSorted((a, b) => a.id - b.id);
  expect(new Set(inOrder.map(({ id }) => id)).size).toBe(committed.length);
  expect(inOrder.map(({ token }) => token)).toEqual(inOrder.map(({ token }) => token).toSorted((a, b) => a - b));
  const last = inOrder.at(-1);
  const reader = underTest.open().task(ref);
  const newest = (await reader.manifests()).findLast(({ confirmed }) => confirmed)?.manifest;
  // The last one that was answered is there; one more may have been committed whose writer was fenced before it heard of it.
  expect(newest?.id ?? 0).toBeGreaterThanOrEqual(last?.id ?? 0);
  for (const { name } of newest?.actors.totals?.segments ?? []) {
    expect(await reader.getSegment(name)).toEqual(bytesOf(name));
  }
}
