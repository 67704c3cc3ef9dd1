import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionClocks } from '../../lib/event-time/partition-clocks.ts';
import { watermarks } from '../../operators/index.ts';

const saw = (clocks: PartitionClocks<number>, name: string, ...times: number[]) => {
  clocks.saw(name, times, times, 0, times.length);
  return clocks.advance();
};

describe('the clocks of partitions', () => {
  it('give the lowest watermark, which is one less than the highest time less the bound', () => {
    const clocks = new PartitionClocks<number>(watermarks.boundedOutOfOrderness(5));
    clocks.of('a');
    clocks.of('b');
    expect(saw(clocks, 'a', 100, 90)).toBe(Number.NEGATIVE_INFINITY);
    expect(clocks.heldBackBy).toBe('b');
    expect(saw(clocks, 'b', 50)).toBe(44);
    expect(saw(clocks, 'b', 200)).toBe(94);
    expect(clocks.heldBackBy).toBe('a');
  });

  it('leave out what is idle, has ended or is gone, and count it again at its next record, without going back', () => {
    const clocks = new PartitionClocks<number>(watermarks.monotonous());
    for (const name of ['a', 'b', 'c', 'd']) clocks.of(name);
    saw(clocks, 'd', 30);
    clocks.of('a').isIdle = true;
    clocks.of('b').hasEnded = true;
    clocks.remove('c');
    expect(clocks.advance()).toBe(29);
    expect(saw(clocks, 'a', 10)).toBe(29);
    expect(clocks.heldBackBy).toBe('a');
    expect(saw(clocks, 'd', 60)).toBe(29);
    expect(saw(clocks, 'a', 50)).toBe(49);
  });

  it('are idle when all that have not ended are', () => {
    const clocks = new PartitionClocks<number>(watermarks.monotonous());
    expect(clocks.areIdle).toBe(false);
    clocks.of('a').isIdle = true;
    expect(clocks.areIdle).toBe(true);
    clocks.of('b');
    expect(clocks.areIdle).toBe(false);
    clocks.of('b').hasEnded = true;
    expect(clocks.areIdle).toBe(true);
    clocks.of('a').hasEnded = true;
    clocks.of('a').isIdle = false;
    expect(clocks.areIdle).toBe(false);
  });

  it('give the highest watermark when all become idle at once', () => {
    const clocks = new PartitionClocks<number>(watermarks.monotonous());
    for (const name of ['a', 'b', 'c']) clocks.of(name);
    saw(clocks, 'b', 30);
    saw(clocks, 'c', 20);
    expect(clocks.advance()).toBe(Number.NEGATIVE_INFINITY);
    for (const name of ['a', 'b', 'c']) clocks.of(name).isIdle = true;
    expect(clocks.advance()).toBe(29);
  });

  it('hear nothing of records without a time', () => {
    const clocks = new PartitionClocks<number>(watermarks.monotonous());
    expect(saw(clocks, '', Number.NaN, 5, Number.NaN)).toBe(4);
  });

  it('do not take over what another kind of strategy remembered', () => {
    const custom = watermarks.custom<number, { seen: number }>({
      init: () => ({ seen: 0 }),
      next: (state, time) => ({ seen: Math.max(state.seen, time) }),
      watermark: state => state.seen - 1,
    });
    const before = new PartitionClocks<number>(custom);
    saw(before, 'a', 70);
    const after = new PartitionClocks<number>(watermarks.monotonous(), before.stored(), before.watermark);
    after.of('a');
    expect(after.advance()).toBe(69);
    expect(saw(after, 'a', 20)).toBe(69);
    const again = new PartitionClocks<number>(custom, before.stored(), 0);
    again.of('a');
    expect(again.advance()).toBe(69);
  });

  it.each([
    ['a bound', watermarks.boundedOutOfOrderness(3)],
    [
      'a strategy of its own',
      watermarks.custom<number, number>({
        init: () => -1,
        next: (highest, time) => Math.max(highest, time),
        watermark: highest => (highest < 0 ? Number.NEGATIVE_INFINITY : highest - 4),
      }),
    ],
  ])('go on behind a restore as if nothing had been, with %s', (_what, strategy) => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), time: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), fc.array(step, { maxLength: 50 }), (first, second) => {
        const whole = new PartitionClocks<number>(strategy);
        const before = new PartitionClocks<number>(strategy);
        for (const name of ['a', 'b', 'c']) for (const clocks of [whole, before]) clocks.of(name);
        for (const { name, time } of first) expect(saw(before, name, time)).toBe(saw(whole, name, time));
        const stored = JSON.parse(JSON.stringify(before.stored()));
        const after = new PartitionClocks<number>(strategy, stored, before.watermark);
        for (const name of ['a', 'b', 'c']) after.of(name);
        for (const { name, time } of second) expect(saw(after, name, time)).toBe(saw(whole, name, time));
        expect(after.heldBackBy).toBe(whole.heldBackBy);
      }),
    );
  });
});
