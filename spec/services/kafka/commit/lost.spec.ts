import { describe, expect, it } from 'vitest';
import type { TidemarkError } from '../../../../lib/index.ts';
import { committed, type Process, TotalsPlace } from './totals-place.ts';

const failure = async ({ handle }: Process): Promise<TidemarkError> =>
  handle.done.then(
    outcome => {
      throw new Error(`it has ${outcome}`);
    },
    error => error as TidemarkError,
  );

/** A job that was killed in the middle. */
async function killed(payments = 2_000): Promise<TotalsPlace> {
  const place = await TotalsPlace.with(payments);
  const first = place.start({ rate: 4_000, isBounded: false });
  await committed(first, id => id >= 3);
  place.kill(first);
  await first.handle.cancel();
  return place;
}

describe('a start refuses, and changes nothing,', () => {
  it('when the commit group was deleted, until a person has chosen', async () => {
    await using place = await killed();
    const newest = await place.newest();
    await place.admin.deleteGroups([place.group]);
    const error = await failure(place.start());
    expect(error).toMatchObject({ code: 'COMMIT_POINT_LOST', fault: 'external', retriable: false });
    expect(error.message).toMatch(
      new RegExp(`Checkpoint ${newest}.*no record.*recovery\\.acceptCheckpoint to ${newest}`, 's'),
    );
    expect(await place.newest()).toBe(newest);
    expect((await place.record()).offset).toBe(-1);

    const wrong = await failure(place.start({ settings: { recovery: { acceptCheckpoint: newest - 1 } } }));
    expect(wrong.code).toBe('COMMIT_POINT_LOST');

    const process = place.start({ settings: { recovery: { acceptCheckpoint: newest } } });
    expect(await process.handle.done).toBe('finished');
    expect(process.log.map(({ message }) => message).join()).toMatch(/accepted by choice/);
    // Here nothing had been committed after it; what had been would come twice.
    expect(await place.visible()).toEqual(place.expected());
    expect((await place.record()).offset).toBe(await place.newest());
  });

  it('when Redis was emptied, until it is started fresh, with ids above what was', async () => {
    await using place = await killed(500);
    const { offset } = await place.record();
    await place.emptyRedis();
    const error = await failure(place.start());
    expect(error).toMatchObject({ code: 'STATE_LOST', retriable: false });
    expect(error.message).toMatch(new RegExp(`Checkpoint ${offset}.*does not have it.*start fresh`, 's'));
    expect((await place.record()).offset).toBe(offset);

    const before = await place.visible();
    const fresh = place.start({ readsAll: true, settings: { fresh: true } });
    expect(await fresh.handle.done).toBe('finished');
    expect((await place.record()).offset).toBeGreaterThan(offset);
    const visible = await place.visible();
    // All of it came again, behind what was there.
    for (const [card, totals] of place.expected()) {
      expect(visible.get(card)).toEqual([...(before.get(card) ?? []), ...totals]);
    }
  });
});

it('a job whose checkpoints were deleted as it was cancelled begins anew', async () => {
  await using place = await TotalsPlace.with(500);
  const first = place.start({ isBounded: false, settings: { checkpoint: { onCancel: 'delete' } } });
  const id = await committed(first, id => id >= 2);
  await first.handle.cancel();
  expect(await place.manifests()).toEqual([]);
  const second = place.start();
  expect(await second.handle.done).toBe('finished');
  expect(second.handle.status.restoredFrom).toBeUndefined();
  expect(await place.newest()).toBeGreaterThan(id);
});

it('a job that was stopped cleanly starts although Kafka has let its record expire', async () => {
  await using place = await TotalsPlace.with(1_000);
  const first = place.start({ isBounded: false });
  await committed(first, id => id >= 2);
  await first.handle.stop();
  const newest = await place.newest();
  await place.admin.deleteGroups([place.group]);
  await place.load(500);
  const second = place.start();
  expect(await second.handle.done).toBe('finished');
  expect(second.handle.status.restoredFrom?.id).toBe(newest);
  expect(await place.visible()).toEqual(place.expected());
  expect((await place.record()).offset).toBe(await place.newest());
});
