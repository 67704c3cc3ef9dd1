import { describe, expect, it } from 'vitest';
import { marbles } from '../../../lib/testing/index.ts';
import { aggregates, tumblingWindow } from '../../../operators/index.ts';
import { inspectedStore } from '../../actor/stored-entries.ts';

/** Segments of two checkpoints, with a record of this value between them. */
function segmentsFor(value: number): number | undefined {
  const { store, kinds } = inspectedStore();
  let segments: number | undefined;
  marbles(({ job, record, scheduler }) => {
    const highest = aggregates.max<unknown>(Number);
    job('-a-B-b-B---|', input => input.pipe(tumblingWindow('w', 10, highest)), {
      values: { a: record(5, 3), b: record(value, 4) },
      store,
    });
    scheduler.schedule(() => {
      segments = kinds('w')[1]?.length;
    }, 9);
  });
  return segments;
}

describe('the pane of a window', () => {
  it('is stored when a record has changed its accumulator', () => {
    expect(segmentsFor(7)).toBe(2);
  });

  it('is not stored when a record has left its accumulator as it was', () => {
    expect(segmentsFor(4)).toBe(1);
  });
});
