import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Panes } from '../../../operators/windows/panes.ts';

/** The ends of all windows that hold a time, by definition. */
function endsOf(time: number, size: number, slide: number, offset: number): number[] {
  const ends: number[] = [];
  for (let start = offset - 200 * slide; start <= time; start += slide)
    if (start + size > time) ends.push(start + size);
  return ends;
}

const windows = fc.record({
  size: fc.integer({ min: 1, max: 40 }),
  slide: fc.integer({ min: 1, max: 40 }),
  offset: fc.integer({ min: 0, max: 39 }),
  time: fc.integer({ min: -100, max: 400 }),
});

describe('panes', () => {
  it('belong to the same windows from their beginning to their end', () => {
    fc.assert(
      fc.property(windows, ({ size, slide, offset, time }) => {
        const panes = new Panes(size, slide, offset);
        const ends = endsOf(time, size, slide, offset);
        const pane = panes.paneOf(time);
        if (ends.length === 0) {
          expect(pane).toBeUndefined();
          return;
        }
        expect(pane).toBeDefined();
        const start = pane as number;
        expect(start <= time && time < start + panes.length).toBe(true);
        for (let at = start; at < start + panes.length; at++) expect(endsOf(at, size, slide, offset)).toEqual(ends);
        expect(panes.firstEnd(start)).toBe(ends[0]);
        expect(panes.lastEnd(start)).toBe(ends.at(-1));
        for (const end of ends) expect(panes.isEnd(end)).toBe(true);
        for (const over of [Number.NEGATIVE_INFINITY, start, time + size, Number.POSITIVE_INFINITY]) {
          const behind = ends.filter(end => end > over);
          expect(panes.nextEnd(start, over)).toBe(behind[0]);
          expect(panes.endsBehind([start, start], over)).toEqual(behind);
        }
      }),
    );
  });

  it('end windows where they end, and nowhere else', () => {
    const panes = new Panes(10, 4, 1);
    const ends = Array.from({ length: 30 }, (_, time) => time).filter(time => panes.isEnd(time));
    expect(ends).toEqual([3, 7, 11, 15, 19, 23, 27]);
  });
});
