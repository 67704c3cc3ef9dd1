import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import { positionJson, readPosition } from '../../../../connectors/kafka/source/position.ts';
import { type Json, SourcePositionError } from '../../../../lib/index.ts';

describe('the position of a source', () => {
  it('has the form that the commit point reads', () => {
    const partitions = new PartitionMap<{ next: number }>();
    partitions.set({ topic: 'payments', partition: 1 }, { next: 42 });
    partitions.set({ topic: 'payments', partition: 0 }, { next: 0 });
    partitions.set({ topic: 'refunds', partition: 0 }, { next: 7 });
    expect(positionJson('kraft-1', 'totals', partitions.topics())).toEqual({
      cluster: 'kraft-1',
      group: 'totals',
      partitions: { payments: { 0: 0, 1: 42 }, refunds: { 0: 7 } },
    });
  });

  it('may know the ids of topics, and those that are out of sight', () => {
    const ids = new Map([['payments', 'a']]);
    const gone = new Map([['refunds', { id: 'b', offsets: new Map([[3, 7]]) }]]);
    const json = positionJson('kraft-1', 'totals', new Map(), ids, gone);
    expect(json).toEqual({
      ...{ cluster: 'kraft-1', group: 'totals', partitions: {}, ids: { payments: 'a' } },
      gone: { refunds: { id: 'b', offsets: { 3: 7 } } },
    });
    expect(readPosition(JSON.parse(JSON.stringify(json)), 'in')).toMatchObject({ ids, gone });
  });

  it('comes back unchanged from JSON, whatever the topics are called', () => {
    const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '0'), fc.string({ minLength: 1 }));
    const entry = fc.tuple(name, fc.nat(1_000), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(entry), entries => {
        const partitions = new PartitionMap<{ next: number }>();
        for (const [topic, partition, next] of entries) partitions.set({ topic, partition }, { next });
        const text = JSON.stringify(positionJson('cluster', 'group', partitions.topics()));
        const read = readPosition(JSON.parse(text) as Json, 'in');
        expect([read.cluster, read.group, read.partitions.size]).toEqual(['cluster', 'group', partitions.size]);
        for (const [partition, { next }] of partitions.entries()) expect(read.partitions.get(partition)).toBe(next);
      }),
    );
  });

  it('is not changed by what is read afterwards', () => {
    const partitions = new PartitionMap<{ next: number }>();
    const position = { next: 1 };
    partitions.set({ topic: 'payments', partition: 0 }, position);
    const json = positionJson('cluster', 'group', partitions.topics());
    position.next = 2;
    partitions.set({ topic: 'payments', partition: 1 }, position);
    expect(json).toMatchObject({ partitions: { payments: { 0: 1 } } });
    expect(JSON.stringify(json)).not.toContain('"1":2');
  });

  it.each<[string, Json]>([
    ['null', null],
    ['a list', []],
    ['that of another source', { file: 0, offset: 12 }],
    ['one without a cluster', { group: 'g', partitions: {} }],
    ['one with a negative offset', { cluster: 'c', group: 'g', partitions: { payments: { 0: -1 } } }],
    ['one with half an offset', { cluster: 'c', group: 'g', partitions: { payments: { 0: 1.5 } } }],
    ['one whose partition is no number', { cluster: 'c', group: 'g', partitions: { payments: { x: 1 } } }],
    ['one whose ids are numbers', { cluster: 'c', group: 'g', partitions: {}, ids: { payments: 1 } }],
    [
      'one whose lost topic has no offsets',
      { cluster: 'c', group: 'g', partitions: {}, gone: { payments: { id: 'a' } } },
    ],
    ['one whose topic is a list', { cluster: 'c', group: 'g', partitions: { payments: [1] } }],
  ])('is refused when it is %s, with an error that names the source', (_, json) => {
    expect(() => readPosition(json, 'payments-in')).toThrow(SourcePositionError);
    expect(() => readPosition(json, 'payments-in')).toThrow(/payments-in/);
  });
});
