import { map, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, side as tag, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan, side } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

const odd = tag<number>('odd');
const sorting = actor<number, null, number>('sorting', {
  emits: type<number>(),
  sides: [odd],
  initial: () => null,
  receive(_state, value, ctx) {
    if (value % 2) ctx.side(odd, value);
    else ctx.emit(value);
  },
});
const values = { 1: 1, 2: 2, 3: 3, 4: 4 };

describe('side', () => {
  it('reads what the nearest actor upstream sends to the tag, marks and completion included', () => {
    marbles(({ job, expectElements }) => {
      const input = ' -1-2-B-3-4-|';
      const main = '  ---2-B---4-|';
      const odds = '  -1---B-3---|';
      const run = job(
        input,
        stream => {
          const sorted = stream.pipe(
            sorting,
            map(v => v),
          );
          return { main: sorted, odd: sorted.pipe(side(odd)) };
        },
        { values },
      );
      expectElements(run, 'main').toBe(main, values);
      expectElements(run, 'odd').toBe(odds, values);
    });
  });

  it('has the key and time of the record, and goes on behind a crash from the same checkpoint', () => {
    marbles(({ job, expectElements, expectCommitted, record }) => {
      const input = '    -a-B-b-X-c-|';
      const expected = ' -p-B-q-q-r-|';
      const committed = '---p-------(qr)';
      const records = { a: record(1, 10), b: record(3, 20), c: record(5, 30) };
      const counted = { p: record(1, 10, 'k'), q: record(2, 20, 'k'), r: record(3, 30, 'k') };
      const run = job(
        input,
        stream =>
          stream
            .pipe(
              keyBy(() => 'k'),
              sorting,
            )
            .side(odd)
            .pipe(scan('count', (n: number) => n + 1, 0)),
        { values: records },
      );
      expectElements(run).toBe(expected, counted);
      expectCommitted(run).toBe(committed, counted);
    });
  });

  it('is read by several streams', () => {
    marbles(({ job, expectElements }) => {
      const run = job('-1-|', stream => [stream.pipe(sorting).side(odd), stream.pipe(sorting)].slice(0, 1), { values });
      expectElements(run).toBe('-1-|', values);
    });
  });

  it('refuses a tag that no actor upstream declares, and names those that are', () => {
    marbles(({ job, scheduler }) => {
      expect(() => {
        job('-|', stream => stream.pipe(sorting).side(tag('even')));
        scheduler.flush();
      }).toThrow(/"even" \(declared: odd\)|declares the side output "even"/);
    });
    expect(() => side(odd)(of(1))).toThrow(/plain Observable/);
  });

  itEnds(stream => stream.pipe(sorting, side(odd)));
});
