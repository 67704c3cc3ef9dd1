import { describe, expect, it } from 'vitest';
import { deadLetters, from, JobDefinitionError, side as sideTag, type } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { connect, keyBy, side } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

/** Counts what comes on the left, and tells how many there were when something comes on the right. */
const countLeft = {
  emits: type<string>(),
  update: 'return',
  initial: () => 0,
  left: (seen: number) => seen + 1,
  right(seen: number, value: string, ctx: { emit(value: string): void }) {
    ctx.emit(`${value}${seen}`);
  },
} as const;

const byLength = (input: MarbleInput) => input.pipe(keyBy(value => (value as string).length));

describe('connect', () => {
  it('handles the records of both inputs against the same state', () => {
    marbles(({ job, expectElements }) => {
      const a = '       -a-b-----c-|';
      const b = '       -----p-q-----r|';
      const run = job({ a, b }, ({ a, b }) => connect('count', a, b, countLeft));
      expectElements(run).toBe('-----p-q-----r|', { p: 'p2', q: 'q2', r: 'r3' });
    });
  });

  it('keeps one state a key, for both inputs', () => {
    marbles(({ job, expectElements }) => {
      const values = { a: 'a', b: 'bb', p: 'p', q: 'qq', r: 'rrr' };
      const a = '       -a-b-a-----------|';
      const b = '       -------p-q-r-|';
      const expected = '-------p-q-r-----|';
      const run = job({ a, b }, ({ a, b }) => connect('count', byLength(a), byLength(b), countLeft), { values });
      expectElements(run).toBe(expected, { p: 'p2', q: 'qq1', r: 'rrr0' });
    });
  });

  it('goes on from its checkpointed state after a crash, and commits each result once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const a = '        -a-----b-----c--|';
      const b = '        ---p-B---q-X---r|';
      const expected = ' ---p-B---q-q---r|';
      const committed = '-----p----------(qr)';
      const run = job({ a, b }, ({ a, b }) => connect('count', a, b, countLeft));
      const results = { p: 'p1', q: 'q2', r: 'r3' };
      // After the crash both inputs are read again behind the barrier: b, then q.
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('has timers, on the lowest watermark of both', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const values = { a: record('a', 10), V: watermark(30), W: watermark(25) };
      const a = '       -a-V-----|';
      const b = '       -----W---|';
      const run = job(
        { a, b },
        ({ a, b }) =>
          connect('late', a, b, {
            emits: type<string>(),
            update: 'return',
            initial: () => '',
            left(_, value: string, ctx) {
              ctx.timers.atEventTime(20);
              return value;
            },
            right: () => {},
            onTimer(state, time, ctx) {
              ctx.emit(`${state}@${time}`);
            },
          }),
        { values },
      );
      expectElements(run).toBe('-----(tW)|', { t: 'a@20', W: watermark(25) });
    });
  });

  it('fails when a handler throws, or an input does', () => {
    marbles(({ job, expectElements }) => {
      const failing = {
        ...countLeft,
        right: () => {
          throw new Error('no q');
        },
      };
      const run = job({ a: '-a---|', b: '---q-|' }, ({ a, b }) => connect('count', a, b, failing));
      expectElements(run).toBe('---#', {}, expect.objectContaining({ message: expect.stringContaining('no q') }));
      const broken = job({ a: '-a-#', b: '-----q|' }, ({ a, b }) => connect('count', a, b, countLeft));
      expectElements(broken).toBe('---#', {}, expect.anything());
    });
  });

  it('says in a dead letter on which input the record was', () => {
    marbles(({ job, expectElements }) => {
      const skipping = {
        ...countLeft,
        supervise: 'skip',
        right: () => {
          throw new Error('no q');
        },
      } as const;
      const run = job({ a: '-a---|', b: '---q-|' }, ({ a, b }) => {
        const out = connect('count', a, b, skipping);
        return { out, letters: out.pipe(side(deadLetters)) };
      });
      expectElements(run, 'letters').toBe('---l-|', {
        l: expect.objectContaining({ actor: 'count', value: { input: 'right', value: 'q' }, error: 'no q' }),
      });
    });
  });

  it('completes when both inputs have', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ a: '|', b: '---p-|' }, ({ a, b }) => connect('count', a, b, countLeft))).toBe('---p-|', {
        p: 'p0',
      });
      expectElements(job({ a: '-|', b: '---|' }, ({ a, b }) => connect('count', a, b, countLeft))).toBe('---|');
    });
  });

  it('refuses handlers that are missing, and a key on one side only', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    expect(() => connect('c', stream(), stream(), { initial: () => 0, left() {} } as never)).toThrow(
      /connect\("c", …\) takes a handler for each input/,
    );
    expect(() =>
      connect('c', stream().pipe(keyBy(text => text)) as never, stream(), { initial: () => 0, left() {}, right() {} }),
    ).toThrow(JobDefinitionError);
  });

  it('has side outputs', () => {
    const odd = sideTag<string>('odd');
    marbles(({ job, expectElements }) => {
      const run = job({ a: '-a---|', b: '---q-|' }, ({ a, b }) => {
        const out = connect('sided', a, b, {
          sides: [odd],
          initial: () => null,
          left: () => {},
          right(_, value: string, ctx) {
            ctx.side(odd, `${value}!`);
          },
        });
        return { out, odd: out.pipe(side(odd)) };
      });
      expectElements(run, 'odd').toBe('---o-|', { o: 'q!' });
    });
  });

  itEnds(stream => connect('count', stream, stream, countLeft));
});
