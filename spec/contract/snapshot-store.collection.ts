import { describe, expect, it } from 'vitest';
import { FencedError, InternalError, StateLostError } from '../../lib/errors.ts';
import type { StoreFixture } from './snapshot-store.fixture.ts';
import { briefly, segment } from './snapshot-store.manifests.ts';

/** What goes, what stays, and who may decide it. */
export function collectCases(fixture: StoreFixture): void {
  const { ref, put, prepare, commit, shown, present } = fixture;

  describe('collect', () => {
    it('drops manifests, and the segments that only they named', async () => {
      const token = await fixture.task.acquireFence(0);
      const [a, b, c] = [segment(1, token), segment(2, token), segment(3, token)];
      await commit(token, 1, a, b);
      await commit(token, 2, a, c);
      await fixture.task.collect(token, [1]);
      expect(await shown()).toEqual(['2-1']);
      expect(await present(a, b, c)).toEqual([a, c]);
    });

    it('keeps a shared segment until the last manifest that names it goes', async () => {
      const token = await fixture.task.acquireFence(0);
      const shared = segment(1, token);
      for (const id of [1, 2, 3]) await commit(token, id, shared);
      await commit(token, 4);
      await fixture.task.collect(token, [1]);
      expect(await present(shared)).toEqual([shared]);
      await fixture.task.collect(token, [2]);
      expect(await present(shared)).toEqual([shared]);
      await fixture.task.collect(token, [3]);
      expect(await present(shared)).toEqual([]);
    });

    it('keeps what a prepared manifest names that may yet be confirmed', async () => {
      const token = await fixture.task.acquireFence(0);
      await commit(token, 1, segment(1, token));
      await commit(token, 2);
      await prepare(token, 3, segment(1, token));
      await fixture.task.collect(token, [1]);
      expect(await present(segment(1, token))).toEqual([segment(1, token)]);
      await fixture.task.confirm(token, 3);
      expect(await shown()).toEqual(['2-1', '3-1']);
    });

    it('refuses the newest confirmed manifest and what follows it, and then deletes nothing', async () => {
      const token = await fixture.task.acquireFence(0);
      await prepare(token, 1);
      await expect(async () => fixture.task.collect(token, [1])).rejects.toThrow(InternalError);
      await commit(token, 2, segment(2, token));
      await commit(token, 3);
      await prepare(token, 4);
      for (const ids of [[2, 3], [2, 4], [9]]) {
        await expect(async () => fixture.task.collect(token, ids)).rejects.toThrow(InternalError);
      }
      expect(await shown()).toEqual(['2-1', '3-1', '4-1?']);
      expect(await present(segment(2, token))).toEqual([segment(2, token)]);
    });

    it('deletes orphans of older tokens, and no others', async () => {
      const old = await fixture.task.acquireFence(0);
      const [kept, orphan, abandoned] = [segment(1, old, 'k'), segment(2, old, 'o'), segment(3, old, 'a')];
      await commit(old, 1, kept);
      await put(old, orphan);
      await prepare(old, 2, kept, abandoned);
      await fixture.task.collect(old, []);
      expect(await present(kept, orphan, abandoned)).toEqual([kept, orphan, abandoned]);

      const token = await fixture.task.acquireFence(0);
      const underWay = segment(3, token);
      await put(token, underWay);
      await fixture.task.collect(token, []);
      expect(await present(kept, orphan, abandoned, underWay)).toEqual([kept, abandoned, underWay]);
      await commit(token, 3, kept);
      await fixture.task.collect(token, []);
      expect(await present(kept, abandoned, underWay)).toEqual([kept, underWay]);
    });

    it('deletes what an overtaken manifest of the same incarnation named', async () => {
      const token = await fixture.task.acquireFence(0);
      await prepare(token, 1, segment(1, token));
      await commit(token, 2, segment(2, token));
      await fixture.task.collect(token, []);
      expect(await present(segment(1, token), segment(2, token))).toEqual([segment(2, token)]);
    });

    it('by a zombie is refused and deletes nothing', async () => {
      const old = await fixture.task.acquireFence(0);
      await commit(old, 1, segment(1, old));
      await commit(old, 2, segment(2, old));
      await fixture.underTest.open().task(ref).acquireFence(0);
      await expect(async () => fixture.task.collect(old, [1])).rejects.toThrow(FencedError);
      expect(await shown()).toEqual(['1-1', '2-1']);
      expect(await present(segment(1, old), segment(2, old))).toEqual([segment(1, old), segment(2, old)]);
    });

    it('may name manifests that are gone already', async () => {
      const token = await fixture.task.acquireFence(0);
      for (const id of [1, 2, 3]) await commit(token, id);
      await fixture.task.collect(token, [1]);
      await fixture.task.collect(token, [1, 2]);
      expect(await shown()).toEqual(['3-1']);
    });
  });
}

/** What a store does about data that somebody damaged or removed. */
export function damageCases(fixture: StoreFixture): void {
  const { ref, prepare, commit, shown } = fixture;

  it('refuses a damaged manifest that is committed, and leaves out one that is only prepared', async () => {
    const token = await fixture.task.acquireFence(0);
    await commit(token, 1);
    await commit(token, 2);
    await prepare(token, 3);
    await fixture.underTest.damageManifest?.(ref, 3, token);
    expect(briefly(await fixture.underTest.open().task(ref).manifests())).toEqual(['1-1', '2-1']);
    await fixture.underTest.damageManifest?.(ref, 1, token);
    await expect(async () => fixture.underTest.open().task(ref).manifests()).rejects.toThrow(StateLostError);
    await fixture.task.collect(token, [1]);
    expect(briefly(await fixture.underTest.open().task(ref).manifests())).toEqual(['2-1']);
  });

  it('refuses a committed manifest that has disappeared', async () => {
    const token = await fixture.task.acquireFence(0);
    await commit(token, 1);
    await commit(token, 2);
    await fixture.underTest.removeManifest?.(ref, 2, token);
    await expect(async () => fixture.underTest.open().task(ref).manifests()).rejects.toThrow(StateLostError);
    await expect(async () => fixture.task.collect(token, [1])).rejects.toThrow(StateLostError);
  });

  it('answers undefined for a segment that has disappeared, and still shows the manifest', async () => {
    const token = await fixture.task.acquireFence(0);
    await commit(token, 1, segment(1, token), segment(1, token, 'y'));
    await fixture.underTest.removeSegment?.(ref, segment(1, token));
    expect(await fixture.task.getSegment(segment(1, token))).toBeUndefined();
    expect(await shown()).toEqual(['1-1']);
  });
}
