import { describe, expect, it } from 'vitest';
import { kafkaCommitPoint } from '../../../../connectors/kafka/index.ts';
import { committed, died, TotalsPlace } from './totals-place.ts';

const kinds = async (place: TotalsPlace) =>
  (await place.manifests()).filter(({ confirmed }) => confirmed).map(({ manifest }) => manifest.commitPoint?.kind);

describe('a commit point that changes', () => {
  it('is the transaction from before the first record on, once a job has its first exactly-once sink', async () => {
    await using place = await TotalsPlace.with(1_000);
    const first = place.start({ isBounded: false, sink: { guarantee: 'at-least-once' } });
    await committed(first);
    place.kill(first);
    await first.handle.cancel();
    const before = await place.newest();
    expect((await place.record()).offset).toBe(-1);

    const second = place.start({ isBounded: false });
    const id = await committed(second);
    expect(second.handle.status.restoredFrom?.id).toBe(before);
    expect(id).toBe(before + 1);
    expect(second.handle.status.records.in).toBe(0);
    expect((await place.record()).offset).toBeGreaterThanOrEqual(id);
    expect((await kinds(place)).at(-1)).toBe('kafka');
  });

  it('is the store again once the last such sink has gone, also when a crash has kept the store from knowing what was decided', async () => {
    await using place = await TotalsPlace.with(1_000);
    const first = place.start({ rate: 2_000, isBounded: false });
    await committed(first, id => id >= 2);
    // Decided in Kafka, and not noted in the store: only Kafka knows.
    first.store.plan('confirm', 'dies before');
    await died(first);
    await first.handle.cancel();
    const { offset } = await place.record();
    expect(await place.newest()).toBe(offset - 1);

    const second = place.start({ sink: { topic: `${place.output}-other`, guarantee: 'at-least-once' } });
    const id = await committed(second);
    expect(second.handle.status.restoredFrom?.id).toBe(offset);
    expect(id).toBeGreaterThan(offset);
    expect((await kinds(place)).at(-1)).toBe('store');
    expect(await second.handle.done).toBe('finished');
  });

  it('is found by its address when nothing in the job leads there any more', async () => {
    await using place = await TotalsPlace.with(200);
    const point = kafkaCommitPoint({ brokers: place.brokers });
    const context = { shared: <T>(_: string, make: () => T) => make() } as never;
    expect(await point.resolve({ kind: 'store' }, context)).toBeUndefined();
  });
});
