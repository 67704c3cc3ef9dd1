import { describe, expect, it } from 'vitest';
import { deadLetters, from, JobDefinitionError, type } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { broadcast, keyBy, scan, side } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

/** Shows each record with its key and the rules that it met. */
const showing = {
  emits: type<string>(),
  initial: (): readonly string[] => [],
  rule: (rules: readonly string[], rule: unknown) => [...rules, rule as string],
  receive(rules: readonly string[], value: unknown, ctx: { key: unknown; emit(value: string): void }) {
    ctx.emit(`${String(ctx.key)} ${String(value)} ${rules.join('')}`);
  },
};
type Inputs = Record<'stream' | 'rules', MarbleInput>;
const byValue = (input: MarbleInput) => input.pipe(keyBy(value => value as string));
const shown = ({ stream, rules }: Inputs) => broadcast('rules', byValue(stream), rules, showing);

describe('broadcast', () => {
  it('gives the same rules to the records of every key, and their key to the results', () => {
    marbles(({ job, record, expectElements }) => {
      const values = { a: record('a', 1), b: record('b', 2), c: record('c', 3), r: record('r', 9), s: record('s', 9) };
      const stream = '  -a---b-----c-|';
      const rules = '   ---r-----s---|';
      const expected = '-x---y-----z-|';
      expectElements(job({ stream, rules }, shown, { values })).toBe(expected, {
        x: record('a a ', 1, 'a'),
        y: record('b b r', 2, 'b'),
        z: record('c c rs', 3, 'c'),
      });
    });
  });

  it('can be followed by an actor with state by key', () => {
    marbles(({ job, expectElements }) => {
      const stream = '  -a-b-a-|';
      const expected = '-1-1-2-|';
      const run = job({ stream, rules: '-------|' }, inputs => shown(inputs).pipe(scan('count', n => n + 1, 0)));
      expectElements(run).toBe(expected, { 1: 1, 2: 2 });
    });
  });

  it('takes streams without a key', () => {
    marbles(({ job, expectElements }) => {
      const run = job({ stream: '---a-|', rules: '-r---|' }, ({ stream, rules }) =>
        broadcast('rules', stream, rules, showing),
      );
      expectElements(run).toBe('---x-|', { x: 'undefined a r' });
    });
  });

  it('goes on with its checkpointed rules after a crash, and shows each result once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const stream = '   -------a-X---b-|';
      const rules = '    -r-s-B---------|';
      const expected = ' -----B-x-x---y-|';
      const committed = '---------------(xy)';
      const run = job({ stream, rules }, shown);
      const results = { x: 'a a rs', y: 'b b rs' };
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('lets no record change the rules', () => {
    marbles(({ job, expectElements }) => {
      const changing = {
        ...showing,
        receive: (rules: readonly string[]) => {
          (rules as string[]).push('mine');
        },
      };
      const run = job({ stream: '---a-|', rules: '-r---|' }, ({ stream, rules }) =>
        broadcast('rules', byValue(stream), rules, changing),
      );
      expectElements(run).toBe('---#', {}, expect.objectContaining({ code: 'USER_CODE' }));
    });
  });

  it('fails when a handler throws, or passes over the record with its key', () => {
    marbles(({ job, expectElements }) => {
      const failing = {
        ...showing,
        receive: () => {
          throw new Error('no result');
        },
      };
      const run = job({ stream: '-a-|', rules: '---|' }, ({ stream, rules }) =>
        broadcast('rules', byValue(stream), rules, failing),
      );
      expectElements(run).toBe('-#', {}, expect.objectContaining({ message: expect.stringContaining('no result') }));
      const skipping = job({ stream: '-a-|', rules: '---|' }, ({ stream, rules }) =>
        broadcast('rules', byValue(stream), rules, { ...failing, supervise: 'skip' }).pipe(side(deadLetters)),
      );
      expectElements(skipping).toBe('-l-|', {
        l: expect.objectContaining({ actor: 'rules', key: 'a', error: 'no result' }),
      });
    });
  });

  it('completes when both inputs have, and passes the error of one', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job({ stream: '|', rules: '---|' }, shown)).toBe('---|');
      expectElements(job({ stream: '-----|', rules: '--#' }, shown)).toBe('--#', {}, expect.anything());
    });
  });

  it('refuses handlers that are missing, and rules with a key', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    expect(() => broadcast('b', stream(), stream(), { initial: () => [] } as never)).toThrow(
      /broadcast\("b", …\) takes initial\(\), rule\(rules, rule\) and receive/,
    );
    const keyed = stream().pipe(keyBy(text => text)) as never;
    expect(() => broadcast('b', stream(), keyed, showing)).toThrow(JobDefinitionError);
  });

  itEnds(stream => broadcast('rules', byValue(stream), stream, showing));
});
