import { describe, expect, it } from 'vitest';
import type { TaskRef } from '../../lib/checkpoint/snapshot-store.ts';
import { FencedError, InternalError, StateLostError } from '../../lib/errors.ts';
import { collectCases, damageCases } from './snapshot-store.collection.ts';
import { type StoreUnderTest, storeFixture } from './snapshot-store.fixture.ts';
import { briefly, bytesOf, manifestOf, segment } from './snapshot-store.manifests.ts';
import { agreesWithTheModel } from './snapshot-store.model.ts';
import { noteCases } from './snapshot-store.notes.ts';
import { survivesRaces } from './snapshot-store.race.ts';

export interface ContractOptions {
  /** How many random sequences the properties try. */
  readonly runs: number;
  /** Whether the store keeps its data where a spec can damage it. */
  readonly canBeDamaged: boolean;
}

/** What every snapshot store must do; run by the spec of each. */
export function snapshotStoreContract(
  name: string,
  create: () => Promise<StoreUnderTest> | StoreUnderTest,
  options: ContractOptions,
): void {
  describe(`${name}: the contract of snapshot stores`, () => {
    const fixture = storeFixture(create);
    const { ref, put, prepare, commit, shown, present } = fixture;

    describe('fence tokens', () => {
      it('are 0 before the first one, then rise', async () => {
        expect(await fixture.task.fence()).toBe(0);
        expect(await fixture.task.acquireFence(0)).toBe(1);
        expect(await fixture.task.acquireFence(0)).toBe(2);
        expect(await fixture.task.fence()).toBe(2);
      });

      it('are above what the caller asks for', async () => {
        expect(await fixture.task.acquireFence(41)).toBe(42);
        expect(await fixture.task.acquireFence(7)).toBe(43);
      });

      it('never go back, not even when everything is cleared', async () => {
        const token = await fixture.task.acquireFence(8);
        await commit(token, 1, segment(1, token));
        await fixture.task.clear(token);
        expect(await fixture.task.fence()).toBe(token);
        expect(await fixture.underTest.open().task(ref).acquireFence(0)).toBe(token + 1);
      });

      it('of two tasks have nothing to do with one another', async () => {
        await fixture.task.acquireFence(0);
        expect(await fixture.store.task({ job: ref.job, task: '1' }).acquireFence(0)).toBe(1);
      });
    });

    describe('a write under an older token', () => {
      it('is refused at every operation, and changes nothing', async () => {
        const old = await fixture.task.acquireFence(0);
        await commit(old, 1, segment(1, old));
        await prepare(old, 2, segment(1, old), segment(2, old));
        const newer = await fixture.underTest.open().task(ref).acquireFence(0);
        const late = {
          putSegment: () => fixture.task.putSegment(old, segment(3, old), bytesOf('late')),
          prepare: () => fixture.task.prepare(old, manifestOf(ref, old, 3, [segment(1, old)])),
          confirm: () => fixture.task.confirm(old, 2),
          collect: () => fixture.task.collect(old, []),
          clear: () => fixture.task.clear(old),
        };
        for (const [operation, write] of Object.entries(late)) {
          await expect(async () => write(), operation).rejects.toThrow(FencedError);
        }
        expect(await shown()).toEqual(['1-1', '2-1?']);
        expect(await present(segment(1, old), segment(2, old), segment(3, old))).toEqual([
          segment(1, old),
          segment(2, old),
        ]);
        expect(await fixture.task.fence()).toBe(newer);
      });

      it('says who was taken over and what to do', async () => {
        const old = await fixture.task.acquireFence(0);
        await fixture.task.acquireFence(0);
        await expect(async () => fixture.task.confirm(old, 1)).rejects.toThrow(
          /Task 0 of job card-totals has been taken over.*token 1.*2.*must stop/s,
        );
      });

      it('cannot confirm again what it had confirmed, because it is not its business any more', async () => {
        const old = await fixture.task.acquireFence(0);
        await commit(old, 1);
        await fixture.underTest.open().task(ref).acquireFence(0);
        await expect(async () => fixture.task.confirm(old, 1)).rejects.toThrow(FencedError);
      });
    });

    it('takes a token that it never handed out for a sign that it has lost state', async () => {
      await fixture.task.acquireFence(0);
      await expect(async () => fixture.task.putSegment(5, segment(1, 5), bytesOf('x'))).rejects.toThrow(StateLostError);
    });

    describe('segments', () => {
      it('come back byte for byte, also when the writer uses its buffer again', async () => {
        const token = await fixture.task.acquireFence(0);
        const bytes = bytesOf('all');
        await fixture.task.putSegment(token, segment(1, token), bytes);
        bytes.fill(0);
        const back = await fixture.underTest.open().task(ref).getSegment(segment(1, token));
        expect(back).toEqual(bytesOf('all'));
      });

      it('may be empty, a view into a larger buffer, and large', async () => {
        const token = await fixture.task.acquireFence(0);
        const large = new Uint8Array(5_000_000).fill(171);
        await fixture.task.putSegment(token, segment(1, token, 'a'), new Uint8Array());
        await fixture.task.putSegment(token, segment(1, token, 'b'), bytesOf('view').subarray(3, 9));
        await fixture.task.putSegment(token, segment(1, token, 'c'), large);
        expect(await fixture.task.getSegment(segment(1, token, 'a'))).toEqual(new Uint8Array());
        expect(await fixture.task.getSegment(segment(1, token, 'b'))).toEqual(bytesOf('view').slice(3, 9));
        expect(
          Buffer.compare((await fixture.task.getSegment(segment(1, token, 'c'))) ?? large.subarray(1), large),
        ).toBe(0);
      });

      it('are undefined where there is none', async () => {
        expect(await fixture.task.getSegment(segment(1, 1))).toBeUndefined();
        await fixture.task.acquireFence(0);
        expect(await fixture.task.getSegment(segment(1, 1))).toBeUndefined();
      });

      it('are written once', async () => {
        const token = await fixture.task.acquireFence(0);
        await put(token, segment(1, token));
        await expect(async () => fixture.task.putSegment(token, segment(1, token), bytesOf('other'))).rejects.toThrow(
          InternalError,
        );
        expect(await fixture.task.getSegment(segment(1, token))).toEqual(bytesOf(segment(1, token)));
      });

      it('must carry the token of their writer in their name', async () => {
        const token = await fixture.task.acquireFence(6);
        for (const each of [segment(1, 6), 'x', `1-${token}`, `1-${token}-../../x`, `1-${token}-`]) {
          await expect(async () => fixture.task.putSegment(token, each, bytesOf('x')), each).rejects.toThrow(
            InternalError,
          );
        }
      });
    });

    describe('manifests', () => {
      it('are none at first, and asking for them leaves nothing behind', async () => {
        expect(await fixture.task.manifests()).toEqual([]);
        expect(await fixture.store.tasks()).toEqual([]);
      });

      it('come back as they were, prepared ones as such, lowest id first', async () => {
        const token = await fixture.task.acquireFence(0);
        await commit(token, 9, segment(9, token));
        await prepare(token, 10, segment(9, token), segment(10, token));
        const again = await fixture.underTest.open().task(ref).manifests();
        expect(again).toEqual([
          { manifest: manifestOf(ref, token, 9, [segment(9, token)]), confirmed: true },
          { manifest: manifestOf(ref, token, 10, [segment(9, token), segment(10, token)]), confirmed: false },
        ]);
      });

      it('of another task, job or token are refused', async () => {
        const token = await fixture.task.acquireFence(0);
        for (const wrong of [
          manifestOf({ ...ref, task: '1' }, token, 1),
          manifestOf({ ...ref, job: 'other' }, token, 1),
          manifestOf(ref, token + 1, 1),
        ]) {
          await expect(async () => fixture.task.prepare(token, wrong)).rejects.toThrow(InternalError);
        }
        expect(await shown()).toEqual([]);
      });

      it('of an id are prepared once under a token; the same one again is a lost answer', async () => {
        const token = await fixture.task.acquireFence(0);
        await prepare(token, 1);
        await fixture.task.prepare(token, manifestOf(ref, token, 1));
        const other = { ...manifestOf(ref, token, 1), closed: true };
        await expect(async () => fixture.task.prepare(token, other)).rejects.toThrow(InternalError);
        expect((await fixture.task.manifests())[0]?.manifest.closed).toBe(false);
      });

      it('of an id may be prepared again by a newer incarnation, beside the old one', async () => {
        await prepare(await fixture.task.acquireFence(0), 1);
        const newer = await fixture.task.acquireFence(0);
        await prepare(newer, 1);
        expect(await shown()).toEqual(['1-1?', '1-2?']);
        await fixture.task.confirm(newer, 1);
        expect(await shown()).toEqual(['1-2']);
      });

      it('never take the committed checkpoints back', async () => {
        const token = await fixture.task.acquireFence(0);
        await commit(token, 5);
        for (const id of [4, 5]) {
          const earlier = { ...manifestOf(ref, token, id), closed: true };
          await expect(async () => fixture.task.prepare(token, earlier)).rejects.toThrow(InternalError);
        }
        expect(await shown()).toEqual(['5-1']);
      });
    });

    describe('confirm', () => {
      it('commits what was prepared, and succeeds when it is asked again after a lost answer', async () => {
        const token = await fixture.task.acquireFence(0);
        await prepare(token, 1);
        await fixture.task.confirm(token, 1);
        await fixture.task.confirm(token, 1);
        await fixture.underTest.open().task(ref).confirm(token, 1);
        expect(await shown()).toEqual(['1-1']);
      });

      it('refuses what was never prepared, or by another incarnation only', async () => {
        await prepare(await fixture.task.acquireFence(0), 1);
        const token = await fixture.task.acquireFence(0);
        for (const id of [1, 2])
          await expect(async () => fixture.task.confirm(token, id)).rejects.toThrow(InternalError);
        expect(await shown()).toEqual(['1-1?']);
      });

      it('commits what an older incarnation prepared, when a commit point outside the store has named it', async () => {
        const old = await fixture.task.acquireFence(0);
        await commit(old, 1, segment(1, old));
        await prepare(old, 2, segment(2, old));
        await prepare(old, 3);
        const between = await fixture.task.acquireFence(0);
        await prepare(between, 4);
        const token = await fixture.task.acquireFence(0);
        await fixture.task.confirm(token, 2, old);
        await fixture.underTest.open().task(ref).confirm(token, 2, old);
        // Neither may what comes after it be taken for committed, nor is it the business of a confirmation to judge it.
        expect(await shown()).toEqual(['1-1', '2-1', '3-1?', '4-2?']);
        await commit(token, 5);
        expect(await shown()).toEqual(['1-1', '2-1', '5-3']);
        expect(await present(segment(2, old))).toEqual([segment(2, old)]);
      });

      it('of what an older incarnation prepared is refused to whoever was taken over, and never goes back', async () => {
        const old = await fixture.task.acquireFence(0);
        await prepare(old, 1);
        const late = await fixture.task.acquireFence(0);
        const token = await fixture.task.acquireFence(0);
        await expect(async () => fixture.task.confirm(late, 1, old)).rejects.toThrow(FencedError);
        await expect(async () => fixture.task.confirm(token, 2, old)).rejects.toThrow(/token 1 has not prepared/);
        expect(await shown()).toEqual(['1-1?']);
        await commit(token, 2);
        await expect(async () => fixture.task.confirm(token, 1, old)).rejects.toThrow(InternalError);
        expect(await shown()).toEqual(['2-3']);
      });

      it('of what an older incarnation prepared is refused once a newer one has committed, even under a higher id', async () => {
        const old = await fixture.task.acquireFence(0);
        await prepare(old, 5);
        const token = await fixture.task.acquireFence(0);
        await commit(token, 4);
        await expect(async () => fixture.task.confirm(token, 5, old)).rejects.toThrow(/token 1 has not prepared/);
        const later = await fixture.task.acquireFence(0);
        await expect(async () => fixture.task.confirm(later, 5, old)).rejects.toThrow(/token 1 has not prepared/);
        expect(await shown()).toEqual(['4-2']);
      });

      it('drops the prepared ones that it overtakes: lower ids, and whatever older incarnations left', async () => {
        const old = await fixture.task.acquireFence(0);
        await prepare(old, 3);
        await prepare(old, 9);
        const token = await fixture.task.acquireFence(0);
        await prepare(token, 4);
        await prepare(token, 5);
        await prepare(token, 6);
        expect(await shown()).toEqual(['3-1?', '4-2?', '5-2?', '6-2?', '9-1?']);
        await fixture.task.confirm(token, 5);
        expect(await shown()).toEqual(['5-2', '6-2?']);
      });
    });

    noteCases(fixture);
    collectCases(fixture);

    it('clears a task, but not its neighbours', async () => {
      const neighbour = fixture.store.task({ job: ref.job, task: '1' });
      const token = await fixture.task.acquireFence(0);
      const name = segment(1, 1);
      await neighbour.acquireFence(0);
      await neighbour.putSegment(1, name, bytesOf(name));
      await neighbour.prepare(1, manifestOf({ job: ref.job, task: '1' }, 1, 1, [name]));
      await neighbour.confirm(1, 1);
      await commit(token, 1, name);
      await prepare(token, 2, segment(2, token));
      await put(token, segment(3, token));
      await fixture.task.clear(token);
      expect(await shown()).toEqual([]);
      expect(await present(name, segment(2, token), segment(3, token))).toEqual([]);
      expect(briefly(await neighbour.manifests())).toEqual(['1-1']);
      expect(await neighbour.getSegment(name)).toEqual(bytesOf(name));
      await commit(token, 3, segment(4, token));
      expect(await shown()).toEqual(['3-1']);
    });

    it('keeps tasks apart whatever their names are', async () => {
      const names = ['a', 'A', '', '.', '..', 'a/b', 'b/c', 'a\\b', '{a}', 'a:b', 'a}b{', '%', '%41', '~', ' ', '\n\0'];
      names.push('Zähler ☃ 🦀', '\ud800', '\udfff', '__proto__', 'constructor', 'x'.repeat(300), `${'x'.repeat(299)}y`);
      names.push('ü'.repeat(300), 'commits', 'c'.repeat(255), '-', '*', 'con', 'a.json', '\u0001');
      const refs = names.flatMap(each => [
        { job: each, task: '0' },
        { job: 'j', task: each },
      ]);
      refs.push(
        { job: 'a', task: 'b/c' },
        { job: 'a/b', task: 'c' },
        { job: 'a:b', task: 'c' },
        { job: 'a', task: 'b:c' },
      );
      for (const [i, each] of refs.entries()) {
        const other = fixture.store.task(each);
        expect(await other.acquireFence(i), JSON.stringify(each)).toBe(i + 1);
        await other.prepare(i + 1, manifestOf(each, i + 1, i + 1));
        await other.confirm(i + 1, i + 1);
      }
      const again = fixture.underTest.open();
      for (const [i, each] of refs.entries()) {
        expect(await again.task(each).fence()).toBe(i + 1);
        expect(await again.task(each).manifests()).toEqual([
          { manifest: manifestOf(each, i + 1, i + 1), confirmed: true },
        ]);
      }
      const byName = (a: TaskRef, b: TaskRef) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
      expect([...(await again.tasks())].sort(byName)).toEqual(refs.sort(byName));
    });

    it('can be checked, and says where it is', async () => {
      for (const notice of await fixture.store.check()) expect(notice.message).not.toBe('');
      expect(fixture.store.kind).not.toBe('');
      expect(fixture.store.location).not.toBe('');
    });

    if (options.canBeDamaged) damageCases(fixture);

    it('agrees with the reference model over random sequences of three incarnations', () =>
      agreesWithTheModel(create, options.runs));

    it('lets one of several racing incarnations win, and no other write after it', () =>
      survivesRaces(create, options.runs));
  });
}
