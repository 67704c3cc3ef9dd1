import { scan as nativeScan } from 'rxjs';
import { describe, it } from 'vitest';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const count = (n: number): number => n + 1;
const numbers = { 1: 1, 2: 2, 3: 3, 4: 4 };

describe('scan', () => {
  it('emits the state after each record', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-c-|';
      const expected = '-1-2-3-|';
      expectElements(job(input, stream => stream.pipe(scan('count', count, 0)))).toBe(expected, numbers);
    });
  });

  it('goes on from its checkpointed state after a crash, where the native one starts anew', () => {
    marbles(({ job, expectElements }) => {
      const input = ' -a-b-B-c-X-d-|';
      const ours = '  -1-2-B-3-3-4-|';
      const native = '-1-2-B-3-1-2-|';
      expectElements(job(input, stream => stream.pipe(scan('count', count, 0)))).toBe(ours, numbers);
      expectElements(job(input, stream => stream.pipe(nativeScan(count, 0)))).toBe(native, numbers);
    });
  });

  it('commits each value once although the crash repeats it', () => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a-b-B-c-X-d-|';
      const committed = '-----(12)----(34)';
      expectCommitted(job(input, stream => stream.pipe(scan('count', count, 0)))).toBe(committed, numbers);
    });
  });

  it('keeps one state a key', () => {
    marbles(({ job, expectElements, record }) => {
      const keyed = { p: record(1, NaN, 'a'), q: record(1, NaN, 'b'), r: record(2, NaN, 'a') };
      expectElements(
        job('-a-b-a-|', stream =>
          stream.pipe(
            keyBy(v => v as string),
            scan('count', count, 0),
          ),
        ),
      ).toBe('-p-q-r-|', keyed);
    });
  });

  itEnds(stream => stream.pipe(scan('count', count, 0)));
});
