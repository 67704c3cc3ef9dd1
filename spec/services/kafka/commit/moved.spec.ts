import { describe, expect, it } from 'vitest';
import { kafkaCommitPoint } from '../../../../connectors/kafka/index.ts';
import { type KafkaServer, startKafka } from '../../../../tools/services/kafka/kafka.ts';
import { committed, died, TotalsPlace } from './totals-place.ts';

/** ms: a second cluster is started. */
const long = 120_000;

/** A job that reads from one cluster, and died with a checkpoint that only Kafka knows of. */
async function decidedAndDied(place: TotalsPlace): Promise<number> {
  const first = place.start({ rate: 2_000, isBounded: false });
  await committed(first, id => id >= 2);
  first.store.plan('confirm', 'dies before');
  await died(first);
  await first.handle.cancel();
  return (await place.record()).offset;
}

const otherCluster = (): Promise<KafkaServer> => startKafka({ clusterId: 'b3RoZXItY2x1c3Rlci0xLQ' });

describe('an exactly-once sink that moves to another cluster', () => {
  it('goes on from what the first cluster has decided, with nothing lost or doubled', { timeout: long }, async () => {
    await using place = await TotalsPlace.with(3_000);
    await using other = await otherCluster();
    const offset = await decidedAndDied(place);
    expect(await place.newest()).toBe(offset - 1);
    // The source, which stays, leads to the cluster that decided.
    const second = place.start({ sink: { brokers: other.brokers } });
    const id = await committed(second);
    expect(second.handle.status.restoredFrom?.id).toBe(offset);
    expect(id).toBeGreaterThan(offset);
    expect(await second.handle.done).toBe('finished');
    const before = await place.visible();
    const behind = await place.visible(other.brokers);
    const both = new Map(
      [...place.expected().keys()].map(card => [card, [...(before.get(card) ?? []), ...(behind.get(card) ?? [])]]),
    );
    expect(both).toEqual(place.expected());
  });

  it('names that cluster where nothing in the job leads there, and takes its address', { timeout: long }, async () => {
    await using place = await TotalsPlace.with(1_000);
    await using other = await otherCluster();
    const offset = await decidedAndDied(place);
    const elsewhere = { isFromMemory: true, sink: { brokers: other.brokers }, settings: { allowDroppedState: true } };
    const refused = place.start(elsewhere);
    await expect(refused.handle.done).rejects.toThrow(/previousCommitPoint/);
    expect(await place.newest()).toBe(offset - 1);
    const previousCommitPoint = kafkaCommitPoint({ brokers: place.brokers });
    const accepted = place.start({
      ...elsewhere,
      settings: { ...elsewhere.settings, recovery: { previousCommitPoint } },
    });
    await committed(accepted);
    expect(accepted.handle.status.restoredFrom?.id).toBe(offset);
  });
});
