import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionPosition } from '../../../../connectors/kafka/source/partition-position.ts';

/** Offsets that are given of batches `[first, last, offsets that are still there]`. */
function given(
  position: PartitionPosition,
  batches: readonly (readonly [number, number, readonly number[]])[],
): number[] {
  const offsets: number[] = [];
  for (const [first, last, present] of batches) {
    const met = position.meets(first, last);
    if (met === 'stop') return offsets;
    if (met === 'pass over') continue;
    for (const offset of present) {
      const record = position.meetsRecord(offset);
      if (record === 'stop') return offsets;
      if (record === 'pass over') continue;
      offsets.push(offset);
      position.passedRecord(offset);
    }
    position.passedBatch(last);
  }
  return offsets;
}

describe('PartitionPosition', () => {
  it('gives of a batch that begins before it only what comes from it on', () => {
    const position = new PartitionPosition(12);
    expect(given(position, [[10, 14, [10, 11, 12, 13, 14]]])).toEqual([12, 13, 14]);
    expect(position.next).toBe(15);
  });

  it('passes over a batch that lies before it, and stays where it is', () => {
    const position = new PartitionPosition(15);
    expect(given(position, [[10, 14, [10, 11, 12, 13, 14]]])).toEqual([]);
    expect(position.next).toBe(15);
    // Its records are not even unpacked.
    expect([position.meets(10, 14), position.meets(10, 15)]).toEqual(['pass over', 'read']);
  });

  it('accepts gaps that compaction left: within batches, at their end and between them', () => {
    const position = new PartitionPosition(0);
    expect(
      given(position, [
        [0, 9, [1, 4]],
        [20, 29, [25]],
      ]),
    ).toEqual([1, 4, 25]);
    expect(position.next).toBe(30);
  });

  it('advances over a batch that gives nothing: control records, aborted ones', () => {
    const position = new PartitionPosition(5);
    expect(position.meets(5, 5)).toBe('read');
    position.passedBatch(5);
    expect(position.next).toBe(6);
  });

  it('never goes back', () => {
    const position = new PartitionPosition(20);
    position.passedBatch(10);
    expect(position.next).toBe(20);
  });

  it('says that what was asked from behind it would leave records out', () => {
    const position = new PartitionPosition(20);
    expect(position.continuesAt(20)).toBe(true);
    expect(position.continuesAt(12)).toBe(true);
    expect(position.continuesAt(21)).toBe(false);
  });

  describe('with a stop offset', () => {
    it('gives what lies before it, and is at it then', () => {
      const position = new PartitionPosition(0, 3);
      expect(given(position, [[0, 4, [0, 1, 2, 3, 4]]])).toEqual([0, 1, 2]);
      expect([position.isReached, position.next]).toEqual([true, 3]);
    });

    it('reaches it behind control records', () => {
      const position = new PartitionPosition(0, 3);
      expect(
        given(position, [
          [0, 1, [0, 1]],
          [2, 2, []],
        ]),
      ).toEqual([0, 1]);
      expect([position.isReached, position.next]).toEqual([true, 3]);
    });

    it('reaches it where compaction has removed the last records before it', () => {
      const position = new PartitionPosition(0, 8);
      expect(
        given(position, [
          [0, 4, [0]],
          [12, 13, [12, 13]],
        ]),
      ).toEqual([0]);
      expect([position.isReached, position.next]).toEqual([true, 8]);
    });

    it('reaches it where the removed records lie within the batch that holds it', () => {
      const position = new PartitionPosition(0, 3);
      expect(given(position, [[0, 9, [0, 7, 9]]])).toEqual([0]);
      expect([position.isReached, position.next]).toEqual([true, 3]);
    });

    it('is not passed where the batch that holds it ends behind it without a record', () => {
      const position = new PartitionPosition(0, 3);
      expect(given(position, [[0, 9, [0, 2]]])).toEqual([0, 2]);
      expect([position.isReached, position.next]).toEqual([true, 3]);
    });

    it('is reached from the start when it lies before the position', () => {
      const position = new PartitionPosition(9, 3);
      expect(position.isReached).toBe(true);
      expect(given(position, [[0, 20, [9, 10]]])).toEqual([]);
      expect(position.next).toBe(9);
    });
  });

  it('gives every offset between start and stop once, in order, however batches overlap what was read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 6 }), fc.nat(5)), {
          maxLength: 20,
        }),
        fc.nat(40),
        fc.nat(60),
        (shape, start, stop) => {
          const batches: [number, number, number[]][] = [];
          let next = 0;
          for (const [gap, size, repeat] of shape) {
            const first = next + gap;
            const last = first + size - 1;
            const offsets = Array.from({ length: size }, (_, i) => first + i).filter(offset => offset % 3 !== 0);
            batches.push([first, last, offsets]);
            // What comes twice (a fetch that was asked again) is given once.
            if (repeat === 0) batches.push([first, last, offsets]);
            next = last + 1;
          }
          const position = new PartitionPosition(start, stop);
          const expected = [...new Set(batches.flatMap(([, , offsets]) => offsets))].filter(
            offset => offset >= start && offset < stop,
          );
          expect(given(position, batches)).toEqual(expected);
          expect(position.next).toBeGreaterThanOrEqual(start);
          if (next > stop && start < stop) expect(position.next).toBe(stop);
        },
      ),
    );
  });
});
