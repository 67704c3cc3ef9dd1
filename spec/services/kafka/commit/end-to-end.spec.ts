import { describe, expect, it } from 'vitest';
import { committed, died, TotalsPlace } from './totals-place.ts';

describe('a job from Kafka to Kafka, exactly once', () => {
  it('gives exact results over stops and restarts, and says in Kafka what the newest checkpoint is', async () => {
    await using place = await TotalsPlace.with(6_000);
    for (const _ of [1, 2, 3]) {
      const process = place.start({ rate: 2_000 });
      await committed(process, id => id > 1);
      await process.handle.stop();
      expect((await place.record()).offset).toBe(await place.newest());
    }
    const last = place.start();
    expect(await last.handle.done).toBe('finished');
    expect(await place.visible()).toEqual(place.expected());
    const { offset, metadata } = await place.record();
    const newest = (await place.manifests()).findLast(({ confirmed }) => confirmed)?.manifest;
    expect(offset).toBe(newest?.id);
    expect(JSON.parse(metadata)).toMatchObject({ manifest: `${newest?.id}-${newest?.token}`, token: newest?.token });
    expect(newest?.commitPoint).toMatchObject({ kind: 'kafka' });
    // The offsets that others see are those of the checkpoint, because they came with it.
    const [followed] = await place.admin.fetchOffsets({ groupId: place.name, topics: [place.input] });
    const offsets = Object.fromEntries((followed?.partitions ?? []).map(each => [each.partition, Number(each.offset)]));
    const position = newest?.sources[`kafka:${place.input}`]?.position as { partitions: Record<string, object> };
    expect(offsets).toEqual(position.partitions[place.input]);
  });

  it.each([
    ['putSegment', 'dies before'],
    ['prepare', 'dies before'],
    ['prepare', 'dies after'],
    ['confirm', 'dies before'],
    ['confirm', 'dies after'],
  ] as const)(
    'loses and repeats nothing when the process is gone at %s (it %s), and lives on as a zombie',
    async (step, fault) => {
      await using place = await TotalsPlace.with(2_000);
      const first = place.start({ rate: 4_000, isBounded: false });
      const before = await committed(first, id => id >= 2);
      first.store.plan(step, fault);
      await died(first);
      const second = place.start();
      expect(await second.handle.done).toBe('finished');
      expect(await place.visible()).toEqual(place.expected());
      expect(await place.newest()).toBeGreaterThan(before);
    },
  );

  it('takes up what was committed but not noted in the store', async () => {
    await using place = await TotalsPlace.with(1_000);
    const first = place.start({ rate: 4_000, isBounded: false });
    await committed(first, id => id >= 2);
    first.store.plan('confirm', 'dies before');
    await died(first);
    const decided = (await place.record()).offset;
    expect(await place.newest()).toBe(decided - 1);
    const second = place.start();
    await committed(second);
    expect(second.handle.status.restoredFrom?.id).toBe(decided);
    expect(await second.handle.done).toBe('finished');
    expect(await place.visible()).toEqual(place.expected());
  });

  it('keeps everything, in order, while the store fails for a few checkpoints', async () => {
    await using place = await TotalsPlace.with(2_000);
    const process = place.start({ rate: 1_000, settings: { checkpoint: { tolerableFailures: 5 } } });
    await committed(process, id => id >= 2);
    process.store.plan('prepare', 'refuses', 'refuses', 'refuses');
    const outcomes: string[] = [];
    process.handle.checkpoints$.subscribe(({ outcome }) => outcomes.push(outcome));
    expect(await process.handle.done).toBe('finished');
    expect(outcomes.filter(outcome => outcome === 'abandoned').length).toBe(3);
    expect(process.handle.status.attempt).toBe(1);
    expect(await place.visible()).toEqual(place.expected());
  });
});
