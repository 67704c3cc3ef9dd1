import { it } from 'vitest';
import { actor, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy } from '../../operators/index.ts';

it('may be taken apart by a handler', () => {
  marbles(({ job, record, expectElements }) => {
    const tagged = actor<string, number, string>('tagged', {
      emits: type<string>(),
      initial: () => 0,
      receive(count, _value, { emit, key, timestamp, forget }) {
        emit(`${String(key)}@${timestamp}#${count}`);
        if (count === 1) forget();
        return count + 1;
      },
    });
    const run = job(
      '-a-a-a-|',
      input =>
        input.pipe(
          keyBy((value: string) => value),
          tagged,
        ),
      {
        values: { a: record('k', 7) },
      },
    );
    expectElements(run).toBe('-a-b-a-|', { a: 'k@7#0', b: 'k@7#1' });
  });
});

it('asks for nothing when its handler throws after asking', () => {
  marbles(({ job, expectElements }) => {
    const picky = actor<number, number, number>('picky', {
      emits: type<number>(),
      supervise: 'reset',
      initial: () => 0,
      receive(count, value, { emit, forget }) {
        emit(count);
        if (value < 0) {
          forget();
          throw new Error('negative');
        }
        return count + 1;
      },
    });
    const run = job('-1-x-2-3-|', input => input.pipe(picky), { values: { 1: 1, x: -1, 2: 2, 3: 3 } });
    expectElements(run).toBe('-a---a-b-|', { a: 0, b: 1 });
  });
});

it('emits with an event time of its own where the handler gives one, and only there', () => {
  marbles(({ job, record, expectElements }) => {
    const spread = actor<string, null, string>('spread', {
      emits: type<string>(),
      initial: () => null,
      receive(_state, value, ctx) {
        ctx.emit(`${value}1`, ctx.timestamp + 100);
        ctx.emit(`${value}2`);
        ctx.emit(`${value}3`, Number.NaN);
      },
    });
    const after = actor<string, null, string>('after', {
      emits: type<string>(),
      initial: () => null,
      receive: (_state, value, ctx) => ctx.emit(value),
    });
    const run = job(
      '-a-----|',
      input =>
        input.pipe(
          keyBy((value: string) => value),
          spread,
          after,
        ),
      {
        values: { a: record('a', 7) },
      },
    );
    expectElements(run).toBe('-(pqr)-|', {
      p: record('a1', 107, 'a'),
      q: record('a2', 7, 'a'),
      r: record('a3', Number.NaN, 'a'),
    });
  });
});
