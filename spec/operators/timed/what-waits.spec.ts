import { describe, expect, it } from 'vitest';
import type { Op } from '../../../lib/index.ts';
import { marbles } from '../../../lib/testing/index.ts';
import {
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  keyBy,
  sampleTime,
  throttleTime,
} from '../../../operators/index.ts';

const byLetter = keyBy((value: string) => value.slice(0, 1));

// What operators on time that hold records have in common.
describe('what waits', () => {
  it.each<[name: string, operator: Op<string, unknown>, input: string, expected: string]>([
    ['auditTime', auditTime('t', 4), '             -a-B---bX----|', '  ---B----a---b|'],
    ['debounceTime', debounceTime('t', 4), '       -a-B---bX----|', '  ---B----a---b|'],
    ['sampleTime', sampleTime('t', 5), '           -a-B---bX----|', '  ---B----a-b--|'],
    ['bufferTime', bufferTime('t', 5), '           -a-B---bX----|', '  ---B----x-y--|'],
    ['delay', delay('t', 4), '                     -abB---c-X-------|', '---B-----(ab)c---|'],
    ['throttleTime', throttleTime('t', 5, { trailing: true }), '-abB---cX------|', '-a-B----b----c-|'],
  ])(
    'and fell due while the job was down comes before what is read then, of %s',
    (_name, operator, input, expected) => {
      marbles(({ job, scheduler, expectElements }) => {
        const run = job(input, stream => stream.pipe(operator));
        scheduler.schedule(() => void run.handle?.cancel(), 4);
        expectElements(run).toBe(expected, { x: ['a'], y: ['b'] });
      });
    },
  );

  it.each<[name: string, operator: Op<string, unknown>, input: string, expected: string]>([
    ['auditTime', auditTime('t', 4), '      -abc-----|', ' -----cb--|'],
    ['debounceTime', debounceTime('t', 4), '-a-b-c----|', '-------b-c|'],
  ])('waits for each key by itself, and keeps its time and key, in %s', (_name, operator, input, expected) => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a1', 10), b: record('b1', 20), c: record('a2', 30) };
      expectElements(job(input, stream => stream.pipe(byLetter, operator), { values })).toBe(expected, {
        b: record('b1', 20, 'b'),
        c: record('a2', 30, 'a'),
      });
    });
  });

  it.each<[name: string, argument: string, declare: (ms: number) => unknown]>([
    ['auditTime', 'duration', ms => auditTime('t', ms)],
    ['debounceTime', 'dueTime', ms => debounceTime('t', ms)],
  ])('waits for no time that is none: %s', (name, argument, declare) => {
    expect(() => declare(-5)).toThrow(`${name}("t"): ${argument} is -5`);
  });
});
