import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MapKey } from '../../lib/actor/key.ts';
import { SortedTimers } from '../../lib/actor/sorted-timers.ts';

type Due = [key: MapKey, time: number, order: number];

function takeAll(timers: SortedTimers, upTo = Number.POSITIVE_INFINITY): Due[] {
  const taken: Due[] = [];
  for (let due = timers.takeDue(upTo); due; due = timers.takeDue(upTo)) taken.push([due.key, due.time, due.order]);
  return taken;
}

const byTime = (a: Due, b: Due) => (a[1] === b[1] ? a[2] - b[2] : a[1] < b[1] ? -1 : 1);

describe('SortedTimers', () => {
  const orders: Record<string, (n: number) => number> = {
    ascending: n => n,
    descending: n => -n,
    'no order': n => (n * 7_919) % 10_007,
    'an order with the same times again': n => (n * 31) % 100,
  };
  for (const [name, timeOf] of Object.entries(orders)) {
    it(`gives many timers of ${name} by time, then by registration`, () => {
      const timers = new SortedTimers();
      const list = Array.from({ length: 10_000 }, (_, n): Due => [`key-${n}`, timeOf(n), n]);
      for (const [key, time, order] of list) timers.add(key, time, order, 1);
      expect(Array.from(timers, ({ order }) => order).sort((a, b) => a - b)).toEqual(list.map(([, , order]) => order));
      expect(takeAll(timers)).toEqual(list.sort(byTime));
      expect(timers.firstTime).toBeUndefined();
    });
  }

  it('holds infinite times', () => {
    const timers = new SortedTimers(2);
    const times = [0, Number.POSITIVE_INFINITY, 5, Number.NEGATIVE_INFINITY, -5, 1e21, 5e-324];
    for (const [order, time] of times.entries()) timers.add('a', time, order, 1);
    expect(takeAll(timers, 1e21).map(([, time]) => time)).toEqual([Number.NEGATIVE_INFINITY, -5, 0, 5e-324, 5, 1e21]);
    expect(timers.firstTime).toBe(Number.POSITIVE_INFINITY);
    expect(timers.take('a', Number.POSITIVE_INFINITY)).toBeDefined();
    expect(timers.firstTime).toBeUndefined();
  });

  it('sets a timer anew while others of its time have not fired', () => {
    const timers = new SortedTimers();
    for (let n = 0; n < 20; n++) timers.add(n, 10, n, 1);
    expect(timers.takeDue(10)?.key).toBe(0);
    expect(timers.take(0, 10)).toBeUndefined();
    expect(timers.add(0, 10, 20, 1)).toBeDefined();
    expect(timers.add(0, 10, 21, 1)).toBeUndefined();
    expect(takeAll(timers).map(([key]) => key)).toEqual([...Array.from({ length: 19 }, (_, n) => n + 1), 0]);
  });

  it('goes on giving them in order where as many fire as are set', () => {
    const timers = new SortedTimers();
    let list = Array.from({ length: 100 }, (_, n): Due => [n, (n * 37) % 101, n]);
    for (const [key, time, order] of list) timers.add(key, time, order, 1);
    for (let n = 100; n < 3_000; n++) {
      list.sort(byTime);
      const [key, time, order] = list[0] as Due;
      expect(timers.takeDue(time)).toMatchObject({ key, time, order });
      const later: Due = [n, time + ((n * 7_919) % 211), n];
      timers.add(...later, 1);
      list = [...list.slice(1), later];
    }
    expect(takeAll(timers)).toEqual(list.sort(byTime));
  });

  it('answers what a plain list would, whatever is set and taken out', () => {
    const key = fc.oneof(fc.nat(11), fc.constantFrom<MapKey>('a', '1', Number.NaN, 1n, true));
    const time = fc.nat(30);
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant('add' as const), key, time }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), key, time }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('first' as const), time }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('due' as const), time }) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.array(step, { maxLength: 150, size: 'max' }), (longest, steps) => {
        const timers = new SortedTimers(longest);
        let list: Due[] = [];
        let order = 0;
        for (const step of steps) {
          list.sort(byTime);
          if (step.do === 'add') {
            const isThere = list.some(due => Object.is(due[0], step.key) && due[1] === step.time);
            expect(timers.add(step.key, step.time, order, 1) === undefined).toBe(isThere);
            if (!isThere) list.push([step.key, step.time, order]);
            order++;
          } else if (step.do === 'take') {
            const found = list.find(due => Object.is(due[0], step.key) && due[1] === step.time);
            expect(timers.take(step.key, step.time)?.order).toBe(found?.[2]);
            list = list.filter(due => due !== found);
          } else if (step.do === 'first') {
            const due = list[0] && list[0][1] <= step.time ? list.shift() : undefined;
            expect(timers.takeDue(step.time)?.order).toBe(due?.[2]);
          } else {
            expect(takeAll(timers, step.time)).toEqual(list.filter(due => due[1] <= step.time));
            list = list.filter(due => due[1] > step.time);
          }
          expect(timers.firstTime).toBe(list.length === 0 ? undefined : Math.min(...list.map(due => due[1])));
        }
        expect(Array.from(timers, timer => timer.order).sort((a, b) => a - b)).toEqual(
          list.map(due => due[2]).sort((a, b) => a - b),
        );
        expect(takeAll(timers)).toEqual(list.sort(byTime));
      }),
      { numRuns: 300 },
    );
  });
});
