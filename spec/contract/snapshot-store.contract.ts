import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotStore, TaskRef, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { FencedError, InternalError, StateLostError } from '../../lib/errors.ts';
import { briefly, bytesOf, manifestOf, segment } from './snapshot-store.manifests.ts';
import { agreesWithTheModel } from './snapshot-store.model.ts';
import { survivesRaces } from './snapshot-store.race.ts';

/** A store to be tested, with what a spec must do to it behind its back. */
export interface StoreUnderTest {
  /** A store on the same data, as another process would open it; closed by the caller of `dispose`. */
  open(): SnapshotStore;
  /** Damages the stored text of a manifest; left out where nothing outside can. */
  damageManifest?(ref: TaskRef, id: number, token: number): Promise<void>;
  /** Makes a manifest disappear. */
  removeManifest?(ref: TaskRef, id: number, token: number): Promise<void>;
  /** Makes a segment disappear. */
  removeSegment?(ref: TaskRef, name: string): Promise<void>;
  dispose(): Promise<void>;
}

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
    const ref: TaskRef = { job: 'card-totals', task: '0' };
    let underTest: StoreUnderTest;
    let store: SnapshotStore;
    let task: TaskStore;

    beforeEach(async () => {
      underTest = await create();
      store = underTest.open();
      task = store.task(ref);
    });
    afterEach(() => underTest.dispose());

    const put = async (token: number, ...names: string[]) => {
      for (const each of names) await task.putSegment(token, each, bytesOf(each));
    };
    const prepare = async (token: number, id: number, ...names: string[]) => {
      for (const each of names) if (!(await task.getSegment(each))) await put(token, each);
      await task.prepare(token, manifestOf(ref, token, id, names));
    };
    const commit = async (token: number, id: number, ...names: string[]) => {
      await prepare(token, id, ...names);
      await task.confirm(token, id);
    };
    const shown = async () => briefly(await task.manifests());
    const present = async (...names: string[]) => {
      const found = [];
      for (const each of names) if (await task.getSegment(each)) found.push(each);
      return found;
    };

    describe('fence tokens', () => {
      it('are 0 before the first one, then rise', async () => {
        expect(await task.fence()).toBe(0);
        expect(await task.acquireFence(0)).toBe(1);
        expect(await task.acquireFence(0)).toBe(2);
        expect(await task.fence()).toBe(2);
      });

      it('are above what the caller asks for', async () => {
        expect(await task.acquireFence(41)).toBe(42);
        expect(await task.acquireFence(7)).toBe(43);
      });

      it('never go back, not even when everything is cleared', async () => {
        const token = await task.acquireFence(8);
        await commit(token, 1, segment(1, token));
        await task.clear(token);
        expect(await task.fence()).toBe(token);
        expect(await underTest.open().task(ref).acquireFence(0)).toBe(token + 1);
      });

      it('of two tasks have nothing to do with one another', async () => {
        await task.acquireFence(0);
        expect(await store.task({ job: ref.job, task: '1' }).acquireFence(0)).toBe(1);
      });
    });

    describe('a write under an older token', () => {
      it('is refused at every operation, and changes nothing', async () => {
        const old = await task.acquireFence(0);
        await commit(old, 1, segment(1, old));
        await prepare(old, 2, segment(1, old), segment(2, old));
        const newer = await underTest.open().task(ref).acquireFence(0);
        const late = {
          putSegment: () => task.putSegment(old, segment(3, old), bytesOf('late')),
          prepare: () => task.prepare(old, manifestOf(ref, old, 3, [segment(1, old)])),
          confirm: () => task.confirm(old, 2),
          collect: () => task.collect(old, []),
          clear: () => task.clear(old),
        };
        for (const [operation, write] of Object.entries(late)) {
          await expect(async () => write(), operation).rejects.toThrow(FencedError);
        }
        expect(await shown()).toEqual(['1-1', '2-1?']);
        expect(await present(segment(1, old), segment(2, old), segment(3, old))).toEqual([
          segment(1, old),
          segment(2, old),
        ]);
        expect(await task.fence()).toBe(newer);
      });

      it('says who was taken over and what to do', async () => {
        const old = await task.acquireFence(0);
        await task.acquireFence(0);
        await expect(async () => task.confirm(old, 1)).rejects.toThrow(
          /Task 0 of job card-totals has been taken over.*token 1.*2.*must stop/s,
        );
      });

      it('cannot confirm again what it had confirmed, because it is not its business any more', async () => {
        const old = await task.acquireFence(0);
        await commit(old, 1);
        await underTest.open().task(ref).acquireFence(0);
        await expect(async () => task.confirm(old, 1)).rejects.toThrow(FencedError);
      });
    });

    it('takes a token that it never handed out for a sign that it has lost state', async () => {
      await task.acquireFence(0);
      await expect(async () => task.putSegment(5, segment(1, 5), bytesOf('x'))).rejects.toThrow(StateLostError);
    });

    describe('segments', () => {
      it('come back byte for byte, also when the writer uses its buffer again', async () => {
        const token = await task.acquireFence(0);
        const bytes = bytesOf('all');
        await task.putSegment(token, segment(1, token), bytes);
        bytes.fill(0);
        const back = await underTest.open().task(ref).getSegment(segment(1, token));
        expect(back).toEqual(bytesOf('all'));
      });

      it('may be empty, a view into a larger buffer, and large', async () => {
        const token = await task.acquireFence(0);
        const large = new Uint8Array(5_000_000).fill(171);
        await task.putSegment(token, segment(1, token, 'a'), new Uint8Array());
        await task.putSegment(token, segment(1, token, 'b'), bytesOf('view').subarray(3, 9));
        await task.putSegment(token, segment(1, token, 'c'), large);
        expect(await task.getSegment(segment(1, token, 'a'))).toEqual(new Uint8Array());
        expect(await task.getSegment(segment(1, token, 'b'))).toEqual(bytesOf('view').slice(3, 9));
        expect(Buffer.compare((await task.getSegment(segment(1, token, 'c'))) ?? large.subarray(1), large)).toBe(0);
      });

      it('are undefined where there is none', async () => {
        expect(await task.getSegment(segment(1, 1))).toBeUndefined();
        await task.acquireFence(0);
        expect(await task.getSegment(segment(1, 1))).toBeUndefined();
      });

      it('are written once', async () => {
        const token = await task.acquireFence(0);
        await put(token, segment(1, token));
        await expect(async () => task.putSegment(token, segment(1, token), bytesOf('other'))).rejects.toThrow(
          InternalError,
        );
        expect(await task.getSegment(segment(1, token))).toEqual(bytesOf(segment(1, token)));
      });

      it('must carry the token of their writer in their name', async () => {
        const token = await task.acquireFence(6);
        for (const each of [segment(1, 6), 'x', `1-${token}`, `1-${token}-../../x`, `1-${token}-`]) {
          await expect(async () => task.putSegment(token, each, bytesOf('x')), each).rejects.toThrow(InternalError);
        }
      });
    });

    describe('manifests', () => {
      it('are none at first, and asking for them leaves nothing behind', async () => {
        expect(await task.manifests()).toEqual([]);
        expect(await store.tasks()).toEqual([]);
      });

      it('come back as they were, prepared ones as such, lowest id first', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 9, segment(9, token));
        await prepare(token, 10, segment(9, token), segment(10, token));
        const again = await underTest.open().task(ref).manifests();
        expect(again).toEqual([
          { manifest: manifestOf(ref, token, 9, [segment(9, token)]), confirmed: true },
          { manifest: manifestOf(ref, token, 10, [segment(9, token), segment(10, token)]), confirmed: false },
        ]);
      });

      it('of another task, job or token are refused', async () => {
        const token = await task.acquireFence(0);
        for (const wrong of [
          manifestOf({ ...ref, task: '1' }, token, 1),
          manifestOf({ ...ref, job: 'other' }, token, 1),
          manifestOf(ref, token + 1, 1),
        ]) {
          await expect(async () => task.prepare(token, wrong)).rejects.toThrow(InternalError);
        }
        expect(await shown()).toEqual([]);
      });

      it('of an id are prepared once under a token; the same one again is a lost answer', async () => {
        const token = await task.acquireFence(0);
        await prepare(token, 1);
        await task.prepare(token, manifestOf(ref, token, 1));
        const other = { ...manifestOf(ref, token, 1), closed: true };
        await expect(async () => task.prepare(token, other)).rejects.toThrow(InternalError);
        expect((await task.manifests())[0]?.manifest.closed).toBe(false);
      });

      it('of an id may be prepared again by a newer incarnation, beside the old one', async () => {
        await prepare(await task.acquireFence(0), 1);
        const newer = await task.acquireFence(0);
        await prepare(newer, 1);
        expect(await shown()).toEqual(['1-1?', '1-2?']);
        await task.confirm(newer, 1);
        expect(await shown()).toEqual(['1-2']);
      });

      it('never take the committed checkpoints back', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 5);
        for (const id of [4, 5]) {
          const earlier = { ...manifestOf(ref, token, id), closed: true };
          await expect(async () => task.prepare(token, earlier)).rejects.toThrow(InternalError);
        }
        expect(await shown()).toEqual(['5-1']);
      });
    });

    describe('confirm', () => {
      it('commits what was prepared, and succeeds when it is asked again after a lost answer', async () => {
        const token = await task.acquireFence(0);
        await prepare(token, 1);
        await task.confirm(token, 1);
        await task.confirm(token, 1);
        await underTest.open().task(ref).confirm(token, 1);
        expect(await shown()).toEqual(['1-1']);
      });

      it('refuses what was never prepared, or by another incarnation only', async () => {
        await prepare(await task.acquireFence(0), 1);
        const token = await task.acquireFence(0);
        for (const id of [1, 2]) await expect(async () => task.confirm(token, id)).rejects.toThrow(InternalError);
        expect(await shown()).toEqual(['1-1?']);
      });

      it('drops the prepared ones that it overtakes: lower ids, and whatever older incarnations left', async () => {
        const old = await task.acquireFence(0);
        await prepare(old, 3);
        await prepare(old, 9);
        const token = await task.acquireFence(0);
        await prepare(token, 4);
        await prepare(token, 5);
        await prepare(token, 6);
        expect(await shown()).toEqual(['3-1?', '4-2?', '5-2?', '6-2?', '9-1?']);
        await task.confirm(token, 5);
        expect(await shown()).toEqual(['5-2', '6-2?']);
      });
    });

    describe('collect', () => {
      it('drops manifests, and the segments that only they named', async () => {
        const token = await task.acquireFence(0);
        const [a, b, c] = [segment(1, token), segment(2, token), segment(3, token)];
        await commit(token, 1, a, b);
        await commit(token, 2, a, c);
        await task.collect(token, [1]);
        expect(await shown()).toEqual(['2-1']);
        expect(await present(a, b, c)).toEqual([a, c]);
      });

      it('keeps a shared segment until the last manifest that names it goes', async () => {
        const token = await task.acquireFence(0);
        const shared = segment(1, token);
        for (const id of [1, 2, 3]) await commit(token, id, shared);
        await commit(token, 4);
        await task.collect(token, [1]);
        expect(await present(shared)).toEqual([shared]);
        await task.collect(token, [2]);
        expect(await present(shared)).toEqual([shared]);
        await task.collect(token, [3]);
        expect(await present(shared)).toEqual([]);
      });

      it('keeps what a prepared manifest names that may yet be confirmed', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 1, segment(1, token));
        await commit(token, 2);
        await prepare(token, 3, segment(1, token));
        await task.collect(token, [1]);
        expect(await present(segment(1, token))).toEqual([segment(1, token)]);
        await task.confirm(token, 3);
        expect(await shown()).toEqual(['2-1', '3-1']);
      });

      it('refuses the newest confirmed manifest and what follows it, and then deletes nothing', async () => {
        const token = await task.acquireFence(0);
        await prepare(token, 1);
        await expect(async () => task.collect(token, [1])).rejects.toThrow(InternalError);
        await commit(token, 2, segment(2, token));
        await commit(token, 3);
        await prepare(token, 4);
        for (const ids of [[2, 3], [2, 4], [9]]) {
          await expect(async () => task.collect(token, ids)).rejects.toThrow(InternalError);
        }
        expect(await shown()).toEqual(['2-1', '3-1', '4-1?']);
        expect(await present(segment(2, token))).toEqual([segment(2, token)]);
      });

      it('deletes orphans of older tokens, and no others', async () => {
        const old = await task.acquireFence(0);
        const [kept, orphan, abandoned] = [segment(1, old, 'k'), segment(2, old, 'o'), segment(3, old, 'a')];
        await commit(old, 1, kept);
        await put(old, orphan);
        await prepare(old, 2, kept, abandoned);
        await task.collect(old, []);
        expect(await present(kept, orphan, abandoned)).toEqual([kept, orphan, abandoned]);

        const token = await task.acquireFence(0);
        const underWay = segment(3, token);
        await put(token, underWay);
        await task.collect(token, []);
        expect(await present(kept, orphan, abandoned, underWay)).toEqual([kept, abandoned, underWay]);
        await commit(token, 3, kept);
        await task.collect(token, []);
        expect(await present(kept, abandoned, underWay)).toEqual([kept, underWay]);
      });

      it('deletes what an overtaken manifest of the same incarnation named', async () => {
        const token = await task.acquireFence(0);
        await prepare(token, 1, segment(1, token));
        await commit(token, 2, segment(2, token));
        await task.collect(token, []);
        expect(await present(segment(1, token), segment(2, token))).toEqual([segment(2, token)]);
      });

      it('by a zombie is refused and deletes nothing', async () => {
        const old = await task.acquireFence(0);
        await commit(old, 1, segment(1, old));
        await commit(old, 2, segment(2, old));
        await underTest.open().task(ref).acquireFence(0);
        await expect(async () => task.collect(old, [1])).rejects.toThrow(FencedError);
        expect(await shown()).toEqual(['1-1', '2-1']);
        expect(await present(segment(1, old), segment(2, old))).toEqual([segment(1, old), segment(2, old)]);
      });

      it('may name manifests that are gone already', async () => {
        const token = await task.acquireFence(0);
        for (const id of [1, 2, 3]) await commit(token, id);
        await task.collect(token, [1]);
        await task.collect(token, [1, 2]);
        expect(await shown()).toEqual(['3-1']);
      });
    });

    it('clears a task, but not its neighbours', async () => {
      const neighbour = store.task({ job: ref.job, task: '1' });
      const token = await task.acquireFence(0);
      const name = segment(1, 1);
      await neighbour.acquireFence(0);
      await neighbour.putSegment(1, name, bytesOf(name));
      await neighbour.prepare(1, manifestOf({ job: ref.job, task: '1' }, 1, 1, [name]));
      await neighbour.confirm(1, 1);
      await commit(token, 1, name);
      await prepare(token, 2, segment(2, token));
      await put(token, segment(3, token));
      await task.clear(token);
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
        const other = store.task(each);
        expect(await other.acquireFence(i), JSON.stringify(each)).toBe(i + 1);
        await other.prepare(i + 1, manifestOf(each, i + 1, i + 1));
        await other.confirm(i + 1, i + 1);
      }
      const again = underTest.open();
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
      for (const notice of await store.check()) expect(notice.message).not.toBe('');
      expect(store.kind).not.toBe('');
      expect(store.location).not.toBe('');
    });

    if (options.canBeDamaged) {
      it('refuses a damaged manifest that is committed, and leaves out one that is only prepared', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 1);
        await commit(token, 2);
        await prepare(token, 3);
        await underTest.damageManifest?.(ref, 3, token);
        expect(briefly(await underTest.open().task(ref).manifests())).toEqual(['1-1', '2-1']);
        await underTest.damageManifest?.(ref, 1, token);
        await expect(async () => underTest.open().task(ref).manifests()).rejects.toThrow(StateLostError);
        await task.collect(token, [1]);
        expect(briefly(await underTest.open().task(ref).manifests())).toEqual(['2-1']);
      });

      it('refuses a committed manifest that has disappeared', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 1);
        await commit(token, 2);
        await underTest.removeManifest?.(ref, 2, token);
        await expect(async () => underTest.open().task(ref).manifests()).rejects.toThrow(StateLostError);
        await expect(async () => task.collect(token, [1])).rejects.toThrow(StateLostError);
      });

      it('answers undefined for a segment that has disappeared, and still shows the manifest', async () => {
        const token = await task.acquireFence(0);
        await commit(token, 1, segment(1, token), segment(1, token, 'y'));
        await underTest.removeSegment?.(ref, segment(1, token));
        expect(await task.getSegment(segment(1, token))).toBeUndefined();
        expect(await shown()).toEqual(['1-1']);
      });
    }

    it('agrees with the reference model over random sequences of three incarnations', () =>
      agreesWithTheModel(create, options.runs));

    it('lets one of several racing incarnations win, and no other write after it', () =>
      survivesRaces(create, options.runs));
  });
}
