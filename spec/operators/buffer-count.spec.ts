import { from as fromArray, lastValueFrom, bufferCount as nativeBufferCount, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { crash, takeCheckpoint } from '../../connectors/memory/index.ts';
import { JobDefinitionError } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { bufferCount, keyBy } from '../../operators/index.ts';
import { inspectedStore } from '../actor/stored-entries.ts';
import { itEnds } from './ends.ts';
import { onMemory } from './windows/on-memory.ts';

const byTwo = (input: MarbleInput) => input.pipe(bufferCount('b', 2));

// What it has in common with the native one is in namesakes.spec.ts.
describe('bufferCount', () => {
  it('goes on with what it holds behind a barrier and a crash, and commits each array once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a-b-c-B-X-d-e-|';
      const expected = ' ---p---B---q---(r|)';
      const committed = '-------p-------(qr)';
      const results = { p: ['a', 'b'], q: ['c', 'd'], r: ['e'] };
      const run = job(input, byTwo);
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('goes on with arrays that overlap', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-c-X-d-|';
      const expected = '-----B-p-p-q-(rs|)';
      expectElements(job(input, input => input.pipe(bufferCount('b', 3, 1)))).toBe(expected, {
        p: ['a', 'b', 'c'],
        q: ['b', 'c', 'd'],
        r: ['c', 'd'],
        s: ['d'],
      });
    });
  });

  it('goes on between two arrays', () => {
    marbles(({ job, expectElements }) => {
      const input = '   -a-b-B-X-c-d-|';
      const expected = '-p---B-----q-|';
      expectElements(job(input, input => input.pipe(bufferCount('b', 1, 3)))).toBe(expected, { p: ['a'], q: ['d'] });
    });
  });

  it('fills arrays of each key, and emits their rests in order of the keys, at the end of time', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: ['l', 1], b: ['k', 2], c: ['l', 3], d: ['l', 4] };
      const input = '   -a-b-c-d-|';
      const expected = '-----p---(qr|)';
      const run = job(
        input,
        input =>
          input.pipe(
            keyBy(v => v[0] as string),
            bufferCount('b', 2),
          ),
        { values },
      );
      expectElements(run).toBe(expected, {
        p: record([values.a, values.c], NaN, 'l'),
        q: record([values.b], Infinity, 'k'),
        r: record([values.d], Infinity, 'l'),
      });
    });
  });

  it('keeps the records of open arrays, each once, and nothing of a key without any', () => {
    const stored = (input: string, size: number, every?: number) => {
      const { store, stored } = inspectedStore();
      marbles(({ job }) => {
        job(input, input => input.pipe(bufferCount('b', size, every)), { store });
      });
      const { values, entries } = stored('b');
      return { values: values.map(([, value]) => value), records: entries.map(([, , , value]) => value) };
    };
    expect(stored('-a-b-c-B', 2)).toEqual({ values: [1], records: ['c'] });
    expect(stored('-a-b-c-d-B', 2)).toEqual({ values: [], records: [] });
    expect(stored('-a-b-c-d-e-B', 3, 1)).toEqual({ values: [5], records: ['d', 'e'] });
    expect(stored('-a-b-B', 1, 3)).toEqual({ values: [2], records: [] });
    expect(stored('-a-b-c-B', 1, 3)).toEqual({ values: [], records: [] });
  });

  it('emits what the native one does for any size, distance and number of records, through checkpoints and crashes', async () => {
    for (let size = 1; size <= 4; size++) {
      for (let every = 1; every <= 5; every++) {
        for (const records of [0, 1, 4, 7, 12]) {
          const values = Array.from({ length: records }, (_, i) => i);
          const wanted = await lastValueFrom(fromArray(values).pipe(nativeBufferCount(size, every), toArray()));
          const items = values.flatMap(value =>
            value % 3 === 1 ? [value, takeCheckpoint] : value % 3 === 2 ? [value, crash] : [value],
          );
          expect(await onMemory(items, stream => stream.pipe(bufferCount('b', size, every)))).toEqual(wanted);
        }
      }
    }
  });

  it('passes barriers and watermarks', () => {
    marbles(({ job, expectElements, watermark }) => {
      const values = { W: watermark(5) };
      expectElements(job('-B-a-W-|', byTwo, { values })).toBe('-B---W-(p|)', { ...values, p: ['a'] });
    });
  });

  it('refuses sizes that are not whole numbers from 1', () => {
    expect(() => bufferCount('b', 0)).toThrow(JobDefinitionError);
    expect(() => bufferCount('b', 0)).toThrow(/bufferCount\("b"\): its bufferSize is 0: give it a whole number from 1/);
    expect(() => bufferCount('b', 2, 0)).toThrow(/its startBufferEvery is 0/);
    expect(() => bufferCount('b', 1.5)).toThrow(/its bufferSize is 1.5/);
  });

  itEnds(byTwo);
});
