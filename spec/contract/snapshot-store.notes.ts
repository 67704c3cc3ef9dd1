import { describe, expect, it } from 'vitest';
import { InternalError } from '../../lib/errors.ts';
import type { StoreFixture } from './snapshot-store.fixture.ts';
import { segment } from './snapshot-store.manifests.ts';

/** What a store does with notes. */
export function noteCases(fixture: StoreFixture): void {
  const { ref, commit, shown } = fixture;
  const other = () => fixture.underTest.open().task(ref);
  const sorted = async () => [...(await other().notes())].sort((a, b) => (a.name < b.name ? -1 : 1));

  describe('notes', () => {
    it('are none before the first one, and need no fence', async () => {
      expect(await fixture.task.notes()).toEqual([]);
      expect(await fixture.task.putNote('request-a', 'text "with" \n ünicode')).toBe(true);
      expect(await sorted()).toEqual([{ name: 'request-a', text: 'text "with" \n ünicode' }]);
      expect(await fixture.task.fence()).toBe(0);
    });

    it('are written once: the first of a name stays, whoever wrote it', async () => {
      await fixture.task.acquireFence(0);
      expect(await other().putNote('keep-1-1', 'first')).toBe(true);
      expect(await fixture.task.putNote('keep-1-1', 'second')).toBe(false);
      expect(await fixture.task.putNote('keep-1-1', 'first')).toBe(true);
      expect(await sorted()).toEqual([{ name: 'keep-1-1', text: 'first' }]);
    });

    it('are removed one by one, and another of the name may come then', async () => {
      await fixture.task.putNote('a', '1');
      await fixture.task.putNote('b.c_d-2', '2');
      await other().removeNote('a');
      await other().removeNote('nobody');
      expect(await sorted()).toEqual([{ name: 'b.c_d-2', text: '2' }]);
      expect(await fixture.task.putNote('a', '3')).toBe(true);
      expect(await sorted()).toEqual([
        { name: 'a', text: '3' },
        { name: 'b.c_d-2', text: '2' },
      ]);
    });

    it('of one task are not those of another', async () => {
      await fixture.task.putNote('a', '1');
      expect(await fixture.store.task({ job: ref.job, task: '1' }).notes()).toEqual([]);
    });

    it('change nothing about checkpoints, and outlive a new fence', async () => {
      const token = await fixture.task.acquireFence(0);
      await commit(token, 1, segment(1, token));
      await fixture.task.putNote('a', '1');
      await other().acquireFence(0);
      expect(await shown()).toEqual(['1-1']);
      expect(await sorted()).toEqual([{ name: 'a', text: '1' }]);
    });

    it('go when the task is cleared', async () => {
      const token = await fixture.task.acquireFence(0);
      await fixture.task.putNote('a', '1');
      await fixture.task.clear(token);
      expect(await sorted()).toEqual([]);
    });

    it('with names that not every store could take are refused', async () => {
      for (const name of ['', 'A', 'a/b', '../a', '.a', 'ä', 'a'.repeat(151)]) {
        await expect(async () => fixture.task.putNote(name, ''), name).rejects.toThrow(InternalError);
      }
    });
  });
}
