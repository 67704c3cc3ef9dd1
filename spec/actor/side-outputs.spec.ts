import { describe, expect, it } from 'vitest';
import { crash, memorySink, memorySource } from '../../connectors/memory/index.ts';
import {
  actor,
  type Behaviour,
  from,
  job,
  type KeyOrNone,
  memoryStore,
  start,
  side as tag,
  type,
} from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, to, union } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { errorOf } from './error-of.ts';

const low = tag<string>('low');
const high = tag<string>('high');

/** Emits numbers from 3 to 6; lower and higher ones go to side outputs, once for each point that they miss by. */
const sorting = (over: Partial<Behaviour<number, { seen: number[] }, number, KeyOrNone>> = {}) =>
  actor<number, { seen: number[] }, number>('sorting', {
    emits: type<number>(),
    sides: [low, high],
    initial: () => ({ seen: [] }),
    receive(state, value, ctx) {
      state.seen.push(value);
      for (let i = value; i < 3; i++) ctx.side(low, `${value} of ${ctx.timestamp}`);
      for (let i = value; i > 6; i--) ctx.side(high, `${state.seen}`);
      if (value >= 3 && value <= 6) ctx.emit(value);
      if (value === 0) throw new Error('zero');
    },
    ...over,
  });

describe('side outputs of an actor', () => {
  it('each get what is sent to their tag, in its order, with the time and key of the record', () => {
    marbles(({ job, expectElements, record }) => {
      const values = { a: record(1, 10), b: record(5, 20), c: record(8, 30) };
      const input = '   -a---b-c---|';
      const main = '    -----b-----|';
      const lows = '    -(pp)------|';
      const highs = '   -------(qq)|';
      const run = job(
        input,
        stream => {
          const sorted = stream.pipe(
            keyBy(() => 'k'),
            sorting(),
          );
          return { main: sorted, low: sorted.side(low), high: sorted.side(high) };
        },
        { values },
      );
      expectElements(run, 'main').toBe(main, { b: record(5, 20, 'k') });
      expectElements(run, 'low').toBe(lows, { p: record('1 of 10', 10, 'k') });
      expectElements(run, 'high').toBe(highs, { q: record('1,5,8', 30, 'k') });
    });
  });

  it('come behind what the same record emitted', () => {
    marbles(({ job, expectElements }) => {
      const both = actor<string, null, string>('both', {
        emits: type<string>(),
        sides: [low],
        initial: () => null,
        receive(_, value, ctx) {
          ctx.side(low, `${value}!`);
          ctx.emit(value);
        },
      });
      const input = '   -a---b---|';
      const expected = '-(ap)(bq)|';
      const run = job(input, stream => {
        const main = stream.pipe(both);
        return union(main.side(low), main);
      });
      expectElements(run).toBe(expected, { a: 'a', p: 'a!', b: 'b', q: 'b!' });
    });
  });

  it('may be read by several streams', () => {
    marbles(({ job, expectElements }) => {
      const run = job(
        '-1---8---|',
        stream => {
          const sorted = stream.pipe(sorting());
          return [sorted.side(low), sorted.side(low), sorted];
        },
        { values: { 1: 2, 8: 5 } },
      );
      const seen = { p: '2 of NaN', q: 5 };
      expectElements(run, '0').toBe('-p-------|', seen);
      expectElements(run, '1').toBe('-p-------|', seen);
      expectElements(run, '2').toBe('-----q---|', seen);
    });
  });

  it('get nothing of a record that throws', () => {
    marbles(({ job, expectElements }) => {
      const run = job(
        '-0-1-|',
        stream => {
          const sorted = stream.pipe(sorting({ supervise: 'reset' }));
          return { low: sorted.side(low), main: sorted };
        },
        { values: { 0: 0, 1: 2 } },
      );
      expectElements(run, 'low').toBe('---p-|', { p: '2 of NaN' });
    });
  });

  it('hold a draft that was sent to them as it was at that moment', () => {
    marbles(({ job, expectElements }) => {
      const states = tag<{ n: number }>('states');
      const counting = actor<string, { n: number }>('counting', {
        sides: [states],
        initial: () => ({ n: 0 }),
        receive(state, _, ctx) {
          state.n++;
          ctx.side(states, state);
          state.n++;
        },
      });
      const run = job('-a-b-|', stream => stream.pipe(counting).side(states));
      expectElements(run).toBe('-p-q-|', { p: { n: 1 }, q: { n: 3 } });
    });
  });

  it('are refused when the actor does not declare them', () => {
    const undeclared = actor<string, null>('undeclared', {
      sides: [high],
      initial: () => null,
      receive: (_, value, ctx) => ctx.side(low, value),
    });
    expect(errorOf('-a-|', stream => stream.pipe(undeclared))?.message).toMatch(
      /"undeclared" emits to the side output "low" but does not declare it: name it in "sides"/,
    );
  });

  it('that nothing reads are dropped and counted, also over restarts', async () => {
    const sink = memorySink<number>();
    const source = memorySource([2, 5, crash, 8, 4]);
    const unread = job('unread', () => from(source).pipe(sorting(), to(sink)), {
      restart: { strategy: 'fixed-delay', attempts: 1, delay: 0 },
    });
    const handle = start(unread, { store: memoryStore(), logger: quiet });
    await handle.done;
    expect(sink.committed).toEqual([5, 4]);
    const text = await handle.registry.metrics();
    const dropped = [...text.matchAll(/^tidemark_side_output_dropped_records_total\{.*output="(\w+)"\} (\d+)$/gm)];
    expect(dropped.map(([, output, count]) => [output, Number(count)])).toEqual([
      ['low', 2],
      ['high', 2],
    ]);
  });
});
