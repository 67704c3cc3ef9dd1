import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskRef } from '../../../lib/checkpoint/snapshot-store.ts';
import { fileStore } from '../../../lib/checkpoint/store-file/index.ts';
import { FencedError } from '../../../lib/errors.ts';
import { briefly, bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';
import { FakeDisk } from './fake-disk.ts';
import { interleave, stepped } from './interleaving.ts';

const ref: TaskRef = { job: 'j', task: '0' };

/** A call that was answered, with the moments on a common clock between which it happened. */
interface Answered {
  readonly token: number;
  readonly id: number;
  readonly began: number;
  readonly ended: number;
}

/** Some processes in long stretches: one stands still while others take over, commit and delete old entries many times. */
const schedule = fc.array(fc.record({ who: fc.nat(3), steps: fc.integer({ min: 1, max: 150 }) }), {
  minLength: 5,
  maxLength: 60,
  size: 'max',
});

async function run(order: readonly { who: number; steps: number }[], seed: number, rounds: number) {
  let random = seed;
  const chance = () => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
    return random % 2 === 0;
  };
  const disk = new FakeDisk(chance);
  let clock = 0;
  const acquired: Answered[] = [];
  const committed: Answered[] = [];
  const seen: Answered[] = [];

  const writer = () =>
    stepped(async turn => {
      for (let life = 0; life < rounds; life++) {
        const task = fileStore('/s', disk.mount(turn)).task(ref);
        let began = clock++;
        const token = await task.acquireFence(0);
        acquired.push({ token, id: 0, began, ended: clock++ });
        try {
          const stored = await task.manifests();
          let id = Math.max(0, ...stored.map(({ manifest }) => manifest.id));
          for (let i = 0; i < 4; i++) {
            id++;
            await task.prepare(token, manifestOf(ref, token, id));
            began = clock++;
            await task.confirm(token, id);
            committed.push({ token, id, began, ended: clock++ });
            if (id > 1) await task.collect(token, [id - 1]);
          }
        } catch (error) {
          if (!(error instanceof FencedError)) throw error;
        }
      }
    });
  const reader = () =>
    stepped(async turn => {
      const task = fileStore('/s', disk.mount(turn)).task(ref);
      for (let i = 0; i < rounds * 6; i++) {
        const began = clock++;
        const newest = (await task.manifests()).findLast(({ confirmed }) => confirmed)?.manifest;
        seen.push({ token: newest?.token ?? 0, id: newest?.id ?? 0, began, ended: clock++ });
      }
    });
  await interleave([writer(), writer(), writer(), reader()], order);
  return { acquired, committed, seen };
}

describe('the fence of the file store, with every step of every process in a random order', () => {
  it('hands out each token once, and none that is not above all that were answered before', () =>
    fc.assert(
      fc.asyncProperty(schedule, fc.nat(), async (order, seed) => {
        const { acquired } = await run(order, seed, 3);
        expect(new Set(acquired.map(({ token }) => token)).size).toBe(acquired.length);
        for (const a of acquired) {
          for (const b of acquired) if (a.ended < b.began) expect(a.token).toBeLessThan(b.token);
        }
      }),
      { numRuns: 40 },
    ));

  it('commits nothing under a token once a newer one was handed out, and no id twice', () =>
    fc.assert(
      fc.asyncProperty(schedule, fc.nat(), async (order, seed) => {
        const { acquired, committed } = await run(order, seed, 3);
        for (const { token, began, id } of committed) {
          const newer = acquired.find(other => other.token > token && other.ended < began);
          expect(newer, `${id} under ${token}, after ${newer?.token}`).toBeUndefined();
        }
        const inOrder = committed.toSorted((a, b) => a.id - b.id || a.token - b.token);
        expect(new Set(committed.map(({ id }) => id)).size).toBe(committed.length);
        expect(inOrder.map(({ token }) => token)).toEqual(committed.map(({ token }) => token).sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    ));

  it('shows a reader everything that was answered before, and never goes back', () =>
    fc.assert(
      fc.asyncProperty(schedule, fc.nat(), async (order, seed) => {
        const { committed, seen } = await run(order, seed, 3);
        for (const { began, id } of seen) {
          for (const earlier of committed) if (earlier.ended < began) expect(id).toBeGreaterThanOrEqual(earlier.id);
        }
        expect(seen.map(({ id }) => id)).toEqual(seen.map(({ id }) => id).toSorted((a, b) => a - b));
      }),
      { numRuns: 60 },
    ));

  it('lets a zombie that clears delete nothing of a newer incarnation', () =>
    fc.assert(
      fc.asyncProperty(schedule, async order => {
        const disk = new FakeDisk(() => true);
        const kept: string[] = [];
        const setUp = fileStore(
          '/s',
          disk.mount(() => {}),
        ).task(ref);
        const token = await setUp.acquireFence(0);
        const zombie = stepped(async turn => {
          const task = fileStore('/s', disk.mount(turn)).task(ref);
          await Promise.resolve(task.clear(token)).catch(error => {
            if (!(error instanceof FencedError)) throw error;
          });
        });
        const newer = stepped(async turn => {
          const task = fileStore('/s', disk.mount(turn)).task(ref);
          const token = await task.acquireFence(0);
          for (let id = 1; id <= 3; id++) {
            const name = segment(id, token);
            await task.putSegment(token, name, bytesOf(name));
            kept.push(name);
            await task.prepare(token, manifestOf(ref, token, id, kept));
            await task.confirm(token, id);
          }
        });
        await interleave([zombie, newer], order);
        for (const name of kept) expect(await setUp.getSegment(name), name).toEqual(bytesOf(name));
        expect(briefly(await setUp.manifests())).toEqual(['1-2', '2-2', '3-2']);
      }),
      { numRuns: 60 },
    ));
});
