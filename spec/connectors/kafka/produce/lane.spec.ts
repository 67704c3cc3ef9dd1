import { describe, expect, test } from 'vitest';
import { BatchWriter } from '../../../../connectors/kafka/client/wire/record-batch-writer.ts';
import { Lane } from '../../../../connectors/kafka/produce/lane.ts';

/** A lane whose batches have at most so many bytes, and the counts of those it has closed. */
function laneOf(batchBytes: number) {
  const closed: { readonly records: number; readonly bytes: number }[] = [];
  const host = {
    batchBytes,
    writer: () => new BatchWriter(),
    close: ({ recordCount, byteLength }: BatchWriter) => closed.push({ records: recordCount, bytes: byteLength }),
  };
  return { lane: new Lane<never>(host, 'topic', 3, 5), closed };
}

describe('a lane', () => {
  test('closes a batch before a record would make it too large, by any text', () => {
    const { lane, closed } = laneOf(1_000);
    for (let i = 0; i < 200; i++)
      lane.append(0, `k${i}`, 'ä€😀'.repeat(1 + (i % 20)), [['name', Buffer.alloc(i % 50)]]);
    expect(closed.length).toBeGreaterThan(10);
    for (const { bytes } of closed) expect(bytes).toBeLessThanOrEqual(1_000);
    lane.seal();
    expect(closed.reduce((sum, { records }) => sum + records, 0)).toBe(200);
  });

  test('gives a record that is larger than a batch one of its own', () => {
    const { lane, closed } = laneOf(1_000);
    lane.append(0, null, 'small', []);
    lane.append(0, null, Buffer.alloc(5_000), []);
    lane.append(0, null, 'small', []);
    lane.seal();
    expect(closed.map(({ records }) => records)).toEqual([1, 1, 1]);
  });

  test('answers the bytes of each record, which are those of its batch', () => {
    const { lane } = laneOf(10_000);
    const bytes = [lane.append(0, 'a', 'b', []), lane.append(0, null, 'longer', []), lane.append(0, null, null, [])];
    lane.seal();
    const slot = lane.window.next();
    expect(slot?.batch).toMatchObject({ recordCount: 3, byteLength: bytes.reduce((a, b) => a + b) });
    expect(bytes.every(count => count > 0)).toBe(true);
  });

  test('keeps a batch that is due open until it can be sent', () => {
    const { lane, closed } = laneOf(10_000);
    lane.append(0, null, 'first', []);
    expect(lane.makeReady()).toBe(false);
    lane.due();
    expect(lane.makeReady()).toBe(true);
    const slot = lane.window.next();
    // The first batch of all goes alone.
    lane.append(0, null, 'second', []);
    lane.due();
    expect(lane.makeReady()).toBe(false);
    lane.append(0, null, 'third', []);
    if (slot) lane.window.acknowledged(slot);
    expect(lane.makeReady()).toBe(true);
    expect(closed.map(({ records }) => records)).toEqual([1, 2]);
  });

  test('is idle when everything is acknowledged', () => {
    const { lane } = laneOf(10_000);
    expect(lane.isIdle).toBe(true);
    lane.append(0, null, 'v', []);
    expect(lane.isIdle).toBe(false);
    lane.seal();
    const slot = lane.window.next();
    expect(lane.isIdle).toBe(false);
    if (slot) lane.window.acknowledged(slot);
    expect(lane.isIdle).toBe(true);
  });

  test('has nothing due when its batch was closed for its size', () => {
    const { lane, closed } = laneOf(100);
    lane.append(0, null, 'x'.repeat(40), []);
    lane.due();
    lane.append(0, null, 'y'.repeat(40), []);
    expect(closed).toHaveLength(1);
    lane.makeReady();
    expect(closed).toHaveLength(1);
  });
});
