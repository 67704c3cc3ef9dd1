import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Overflow, OverflowBuffer } from '../../lib/task/overflow-buffer.ts';

describe('OverflowBuffer', () => {
  const whens = ['error', 'drop-oldest', 'drop-newest'] satisfies Overflow['when'][];

  it.each(whens)('keeps values in order while there is room: %s', when => {
    const buffer = new OverflowBuffer<number>({ size: 3, when });
    expect([1, 2, 3].map(value => buffer.push(value))).toEqual([true, true, true]);
    expect(buffer.takeAll()).toEqual([1, 2, 3]);
    expect(buffer.takeAll()).toEqual([]);
  });

  it('refuses one more, drops the oldest, or drops the newest', () => {
    const outcome = (when: Overflow['when']) => {
      const buffer = new OverflowBuffer<number>({ size: 2, when });
      const answers = [1, 2, 3, 4].map(value => buffer.push(value));
      return [answers, buffer.dropped, buffer.takeAll(), buffer.dropped];
    };
    expect(outcome('error')).toEqual([[true, true, false, false], 0, [1, 2], 0]);
    expect(outcome('drop-oldest')).toEqual([[true, true, true, true], 2, [3, 4], 0]);
    expect(outcome('drop-newest')).toEqual([[true, true, true, true], 2, [1, 2], 0]);
  });

  it('keeps nothing when its size is 0', () => {
    for (const when of whens) {
      const buffer = new OverflowBuffer<number>({ size: 0, when });
      expect(buffer.push(1)).toBe(when !== 'error');
      expect(buffer.takeAll()).toEqual([]);
    }
  });

  it('holds what a plain list would, however much is pushed and taken', () => {
    const pushes = fc.array(
      fc.oneof({ weight: 9, arbitrary: fc.nat() }, { weight: 1, arbitrary: fc.constant('take') }),
    );
    fc.assert(
      fc.property(pushes, fc.integer({ min: 0, max: 5 }), fc.constantFrom(...whens), (all, size, when) => {
        const buffer = new OverflowBuffer<number>({ size, when });
        let list: number[] = [];
        for (const push of all) {
          if (push === 'take') {
            expect(buffer.takeAll()).toEqual(list);
            list = [];
            continue;
          }
          const value = push as number;
          expect(buffer.push(value)).toBe(list.length < size || when !== 'error');
          if (list.length < size) list.push(value);
          else if (when === 'drop-oldest') list = [...list, value].slice(-size || list.length + 1);
        }
        expect(buffer.takeAll()).toEqual(list);
      }),
    );
  });
});
