import { describe, expect, it } from 'vitest';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import { stopOffsets, stopQueries } from '../../../../connectors/kafka/source/stop-position.ts';

const partitions = [
  { topic: 'payments', partition: 0 },
  { topic: 'payments', partition: 1 },
];
const [first, second] = partitions as [(typeof partitions)[0], (typeof partitions)[0]];
const ends = new PartitionMap<number>().set(first, 100).set(second, 200);
const none = new PartitionMap<number>();

describe('stop offsets', () => {
  it('are the ends at the start', () => {
    expect(stopQueries(partitions, 'latest')).toEqual([
      { ...first, at: 'latest' },
      { ...second, at: 'latest' },
    ]);
    const stops = stopOffsets(partitions, 'latest', ends, ends);
    expect([stops.get(first), stops.get(second)]).toEqual([100, 200]);
  });

  it('are the first records with a timestamp, and the present end where there is none', () => {
    expect(stopQueries(partitions, { timestamp: new Date(500) })).toEqual([
      { ...first, at: 500 },
      { ...second, at: 500 },
    ]);
    const answers = new PartitionMap<number>().set(first, 42).set(second, -1);
    const stops = stopOffsets(partitions, { timestamp: 500 }, answers, ends);
    expect([stops.get(first), stops.get(second)]).toEqual([42, 200]);
  });

  it('are those that are named, and the present end for the others', () => {
    const stop = { offsets: { payments: { 0: 0 } } };
    expect(stopQueries(partitions, stop)).toEqual([{ ...second, at: 'latest' }]);
    const stops = stopOffsets(partitions, stop, none, ends);
    expect([stops.get(first), stops.get(second)]).toEqual([0, 200]);
  });
});
