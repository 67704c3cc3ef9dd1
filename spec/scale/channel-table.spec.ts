import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../lib/checkpoint/value-codec.ts';
import { packEnd, packRecord, packRest, packResumed, packWatermark, unpacked } from '../../lib/scale/channel-codec.ts';
import { ChannelTable } from '../../lib/scale/channel-table.ts';

describe('how far those are who write into a channel', () => {
  it('is held back by a task that has said nothing yet, and then by the lowest', () => {
    const table = new ChannelTable(2);
    table.moved(0, 100, false);
    expect(table.watermark).toBe(Number.NEGATIVE_INFINITY);
    table.moved(1, 40, false);
    expect(table.watermark).toBe(40);
    table.moved(1, 30, false);
    expect(table.watermark).toBe(40);
  });

  it('does not wait for idle tasks; where all are idle, it is that of the furthest', () => {
    const table = new ChannelTable(2);
    table.moved(0, 100, false);
    table.moved(1, 40, true);
    expect([table.watermark, table.isIdle]).toEqual([100, false]);
    table.moved(0, 100, true);
    expect([table.watermark, table.isIdle]).toEqual([100, true]);
    table.moved(1, 50, false);
    expect([table.watermark, table.isIdle]).toEqual([50, false]);
  });

  it('ends when every task has, however often one says so', () => {
    const table = new ChannelTable(2);
    table.moved(1, 7, false);
    table.ended(0);
    table.ended(0);
    expect([table.haveAllEnded, table.watermark]).toEqual([false, 7]);
    table.ended(1);
    expect([table.haveAllEnded, table.watermark]).toEqual([true, Number.POSITIVE_INFINITY]);
  });

  it('rests when every task that has not ended rests for the same, until one goes on', () => {
    const table = new ChannelTable(3);
    table.rested(0, 'a@1');
    table.rested(1, 'a@1');
    expect(table.haveAllRested('a@1')).toBe(false);
    table.rested(2, 'a@2');
    expect(table.haveAllRested('a@1')).toBe(false);
    table.ended(2);
    expect(table.haveAllRested('a@1')).toBe(true);
    expect(table.haveAllRested('a@2')).toBe(false);
    table.resumed(1);
    expect(table.haveAllRested('a@1')).toBe(false);
    table.rested(1, 'a@1');
    table.rested(1, 'a@1');
    expect(table.haveAllRested('a@1')).toBe(true);
  });

  it('reads what was stored before there were rests', () => {
    const table = new ChannelTable(2);
    table.restore([
      [7, false, false],
      [9, true, true],
    ]);
    expect([table.watermark, table.haveAllRested('a@1')]).toEqual([7, false]);
    expect(table.toJson()).toEqual([
      [7, false, false],
      [9, true, true],
    ]);
  });

  it('comes back as it was, and never goes back', () => {
    const step = fc.record({
      task: fc.nat(2),
      watermark: fc.integer(),
      isIdle: fc.boolean(),
      ends: fc.boolean(),
      rest: fc.constantFrom(undefined, 'a@1', 'over'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const table = new ChannelTable(3);
        for (const { task, watermark, isIdle, ends, rest } of steps) {
          if (rest === 'over') table.resumed(task);
          else if (rest !== undefined) table.rested(task, rest);
          else if (ends) table.ended(task);
          else table.moved(task, watermark, isIdle);
          const again = new ChannelTable(3);
          again.restore(JSON.parse(JSON.stringify(table.toJson())));
          expect(again.haveAllRested('a@1')).toBe(table.haveAllRested('a@1'));
          expect([again.watermark, again.isIdle, again.haveAllEnded]).toEqual([
            table.watermark,
            table.isIdle,
            table.haveAllEnded,
          ]);
        }
      }),
    );
  });
});

describe('what is written into a channel', () => {
  it('comes out as it went in', () => {
    const key = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    const time = fc.oneof(fc.integer(), fc.constant(Number.NaN), fc.constant(Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(key, time, fc.jsonValue(), (key, timestamp, value) => {
        expect(unpacked(packRecord(key, timestamp, value))).toEqual({ is: 'record', key, timestamp, value });
      }),
    );
    const at = new Date(5);
    expect(unpacked(packRecord(['a', 1], 3, { at, map: new Map([[1, new Set(['x'])]]) }))).toEqual({
      is: 'record',
      key: ['a', 1],
      timestamp: 3,
      value: { at, map: new Map([[1, new Set(['x'])]]) },
    });
    expect(unpacked(packWatermark(3, 1_000, true))).toEqual({
      is: 'watermark',
      task: 3,
      watermark: 1_000,
      isIdle: true,
    });
    expect(unpacked(packEnd(3))).toEqual({ is: 'end', task: 3 });
    expect(unpacked(packRest(3, 'a@1'))).toEqual({ is: 'rest', task: 3, rest: 'a@1' });
    expect(unpacked(packResumed(3, 'a@1'))).toEqual({ is: 'resumed', task: 3, rest: 'a@1' });
    expect(() => unpacked(encodeValue([1, 2, 3, 4, 5, 6]))).toThrow(/6 parts/);
  });
});
