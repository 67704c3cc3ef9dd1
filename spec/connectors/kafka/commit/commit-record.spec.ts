import { describe, expect, it } from 'vitest';
import { commitGroup, decodeRecord, encodeRecord } from '../../../../connectors/kafka/commit/commit-record.ts';
import { sourceOffsets } from '../../../../connectors/kafka/commit/source-offsets.ts';
import type { Json } from '../../../../lib/index.ts';
import { manifestOf } from '../../../contract/snapshot-store.manifests.ts';

const record = { id: 12, token: 3, checksum: 'a'.repeat(64) };

describe('a commit record', () => {
  it('is an offset and its metadata, and comes back', () => {
    const { offset, metadata } = encodeRecord(record);
    expect(offset).toBe(12);
    expect(decodeRecord(offset, metadata, 'g')).toEqual(record);
    expect(commitGroup({ job: 'totals', task: 'main' })).toBe('tidemark.totals.main');
  });

  it('has a group that no other task has, whatever points stand in names', () => {
    expect(commitGroup({ job: 'a.b', task: 'main' })).toBe('tidemark.a.b.main');
    const parts = ['a', 'b', 'c', 'a.b', 'b.c', '%', '%2E', '.', 'b%2Ec'];
    const groups = parts.flatMap(job => parts.map(task => commitGroup({ job, task })));
    expect(new Set(groups).size).toBe(groups.length);
  });

  it('says that checkpoints were deleted on purpose', () => {
    const cleared = { id: 12, token: 3, checksum: '', isCleared: true };
    const { offset, metadata } = encodeRecord(cleared);
    expect(decodeRecord(offset, metadata, 'g')).toEqual(cleared);
  });

  it('is none where there is no offset', () => {
    expect(decodeRecord(-1, '', 'g')).toBeUndefined();
  });

  it('of anybody else is refused', () => {
    const { metadata } = encodeRecord(record);
    for (const other of ['', 'null', '7', '{}', 'x', metadata.replace('12-3', '11-3')]) {
      expect(() => decodeRecord(12, other, 'tidemark.totals.main'), other).toThrow(
        /tidemark\.totals\.main.*no commit record/,
      );
    }
  });

  it('stays far below what Kafka takes as metadata, whatever the numbers', () => {
    const large = encodeRecord({
      id: Number.MAX_SAFE_INTEGER,
      token: Number.MAX_SAFE_INTEGER,
      checksum: record.checksum,
    });
    expect(Buffer.byteLength(large.metadata)).toBeLessThan(256);
  });
});

describe('the offsets of sources', () => {
  const entry = (position: Json) => ({ position, finished: false, watermark: null });

  it('are those of Kafka sources on the same cluster, by group', () => {
    const manifest = {
      ...manifestOf({ job: 'totals', task: 'main' }, 1, 1),
      sources: {
        one: entry({ cluster: 'A', group: 'g', partitions: { in: { 0: 5, 1: 0 } } }),
        two: entry({ cluster: 'A', group: 'h', partitions: { other: { 3: 7 } } }),
        three: entry({ cluster: 'A', group: 'g', partitions: { more: { 0: 1 } } }),
        elsewhere: entry({ cluster: 'B', group: 'g', partitions: { in: { 0: 9 } } }),
        empty: entry({ cluster: 'A', group: 'nothing', partitions: {} }),
        file: entry({ file: 0, byte: 12 }),
        none: entry(null),
      },
    };
    const offsets = sourceOffsets(manifest, 'A');
    expect([...offsets.keys()]).toEqual(['g', 'h']);
    expect(offsets.get('g')?.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`)).toEqual([
      'in/0@5',
      'in/1@0',
      'more/0@1',
    ]);
    expect(offsets.get('h')).toEqual([{ topic: 'other', partition: 3, offset: 7, metadata: '' }]);
  });
});
