import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MapKey, mapKey } from '../../lib/actor/key.ts';
import { type TimerCapture, TimerQueue } from '../../lib/actor/timer-queue.ts';
import { StateLostError } from '../../lib/errors.ts';

type Due = [MapKey, number];
interface Entry {
  name: Uint8Array;
  isDeleted: boolean;
}

function queueOf(...timers: Due[]): TimerQueue {
  const queue = new TimerQueue();
  for (const [key, time] of timers) queue.add(key, time);
  return queue;
}

function popAll(queue: TimerQueue, upTo = Number.POSITIVE_INFINITY): Due[] {
  const popped: Due[] = [];
  for (let due = queue.popDue(upTo); due; due = queue.popDue(upTo)) popped.push([due.key, due.time]);
  return popped;
}

function entriesOf(queue: TimerQueue, capture: TimerCapture): Entry[] {
  const entries: Entry[] = [];
  const reader = queue.reader(capture);
  while (reader.next(2, (name, isDeleted) => entries.push({ name, isDeleted })));
  return entries;
}

function restored(chain: readonly Entry[]): TimerQueue {
  const queue = new TimerQueue();
  for (const { name, isDeleted } of chain) {
    const bytes = new Uint8Array([7, ...name, 7]);
    if (isDeleted) queue.restoreDeletion(bytes, 1, 1 + name.length);
    else queue.restore(bytes, 1, 1 + name.length);
  }
  return queue;
}

describe('TimerQueue', () => {
  it('gives timers in order of time, then of registration', () => {
    const queue = queueOf(['b', 20], ['a', 20], ['z', 10], ['c', 20], ['a', 5], ['y', 10]);
    expect(queue.nextTime()).toBe(5);
    expect(popAll(queue, 10)).toEqual([
      ['a', 5],
      ['z', 10],
      ['y', 10],
    ]);
    expect(queue.nextTime()).toBe(20);
    expect(popAll(queue)).toEqual([
      ['b', 20],
      ['a', 20],
      ['c', 20],
    ]);
    expect(queue.nextTime()).toBeUndefined();
  });

  it('holds one timer for a key and time', () => {
    const queue = queueOf(
      ['a', 1],
      ['b', 1],
      ['a', 1],
      [1, 1],
      ['1', 1],
      [1n, 1],
      [true, 1],
      ['true', 1],
      ['a', -0],
      ['a', 0],
    );
    expect(queue.size).toBe(8);
    expect(Array.from(queue, timer => [timer.key, timer.time])).toEqual([
      ['a', 1],
      ['b', 1],
      [1, 1],
      ['1', 1],
      [1n, 1],
      [true, 1],
      ['true', 1],
      ['a', 0],
    ]);
  });

  it('takes a timer out, and leaves the others as they were', () => {
    const queue = queueOf(['a', 1], ['b', 2], ['c', 3], ['b', 4]);
    queue.remove('b', 2);
    queue.remove('b', 3);
    expect(popAll(queue)).toEqual([
      ['a', 1],
      ['c', 3],
      ['b', 4],
    ]);
  });

  it('fires in order what is left of many timers, however many of them were taken out', () => {
    const queue = new TimerQueue();
    const timeOf = (n: number) => (n * 7_919) % 4_001;
    for (let n = 0; n < 8_000; n++) queue.add(n, timeOf(n));
    const isTakenOut = (n: number) => n % 8 !== 3;
    for (let n = 0; n < 8_000; n++) if (isTakenOut(n)) queue.remove(n, timeOf(n));
    const left = Array.from({ length: 8_000 }, (_, n): Due => [n, timeOf(n)]).filter(([n]) => !isTakenOut(n as number));
    expect(queue.size).toBe(1_000);
    expect(popAll(queue)).toEqual(left.sort(([a, at], [b, bt]) => at - bt || (a as number) - (b as number)));
    expect(queue.nextTime()).toBeUndefined();
  });

  it('takes a timer that was set again as a new one', () => {
    const queue = queueOf(['a', 1], ['b', 1]);
    queue.remove('a', 1);
    queue.add('a', 1);
    expect(popAll(queue)).toEqual([
      ['b', 1],
      ['a', 1],
    ]);
  });

  it('brings every key and time back', () => {
    const keys = [
      '',
      '$',
      '#1',
      '1$',
      '\ud800',
      'é',
      1.5,
      Number.NaN,
      -1,
      2n ** 70n,
      -1n,
      true,
      false,
      mapKey(['a', 1]),
      mapKey(undefined),
    ];
    const times = [0, -5, 1.5, 1e21, 5e-324, 8.64e15, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const timers = keys.flatMap(key => times.map<Due>(time => [key, time]));
    const queue = queueOf(...timers);
    const copy = restored(entriesOf(queue, queue.capture()));
    expect(Array.from(copy, ({ key, time }) => [key, time])).toEqual(timers);
    expect(popAll(copy)).toEqual(popAll(queue));
  });

  it('captures what was set and what fell due since the last commit', () => {
    const queue = restored(entriesOf(queueOf(), queueOf(['a', 1], ['b', 2]).capture()));
    expect(queue.isChanged).toBe(false);
    queue.popDue(1);
    queue.add('c', 3);
    queue.add('d', 4);
    queue.remove('d', 4);
    const capture = queue.capture();
    expect(capture).toMatchObject({ isFull: false, size: 2 });
    expect(entriesOf(queue, capture).map(entry => entry.isDeleted)).toEqual([true, false]);
  });

  it('refuses an entry that is not a timer', () => {
    expect(() => new TimerQueue().restore(new Uint8Array([0, 65, 66]), 0, 3)).toThrow(StateLostError);
  });

  it('after any sequence of commits, abandoned captures and crashes, fires what a plain list would, in the same order', () => {
    const key = fc.constantFrom<MapKey>('a', 'b', 1, '1');
    const time = fc.nat(12);
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), key, time }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), key, time }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('pop' as const), time }) },
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constantFrom('capture' as const, 'commit' as const, 'abandon' as const) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), migrate: fc.boolean() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
        let queue = new TimerQueue();
        let list: Due[] = [];
        let chain: Entry[] = [];
        let committed: Due[] = [];
        let open: { capture: TimerCapture; barrier: Due[] } | undefined;
        const without = (key: MapKey, time: number) => list.filter(due => due[0] !== key || due[1] !== time);
        for (const step of steps) {
          switch (step.do) {
            case 'add':
              queue.add(step.key, step.time);
              if (without(step.key, step.time).length === list.length) list.push([step.key, step.time]);
              break;
            case 'remove':
              queue.remove(step.key, step.time);
              list = without(step.key, step.time);
              break;
            case 'pop': {
              const due = list.filter(([, time]) => time <= step.time).sort((a, b) => a[1] - b[1]);
              expect(popAll(queue, step.time)).toEqual(due);
              list = list.filter(([, time]) => time > step.time);
              break;
            }
            case 'capture':
              open ??= { capture: queue.capture(), barrier: [...list] };
              break;
            case 'commit':
              if (!open) break;
              chain = open.capture.isFull
                ? entriesOf(queue, open.capture)
                : [...chain, ...entriesOf(queue, open.capture)];
              committed = open.barrier;
              queue.commit(open.capture);
              open = undefined;
              break;
            case 'abandon':
              if (open) queue.abandon(open.capture);
              open = undefined;
              break;
            case 'crash':
              queue = restored(chain);
              list = [...committed];
              open = undefined;
              if (step.migrate) queue.markAllChanged();
          }
          expect(queue.size).toBe(list.length);
          expect(queue.nextTime()).toBe(list.length === 0 ? undefined : Math.min(...list.map(due => due[1])));
        }
        expect(popAll(queue)).toEqual(list.sort((a, b) => a[1] - b[1]));
      }),
      { numRuns: 1_000 },
    );
  });
});
