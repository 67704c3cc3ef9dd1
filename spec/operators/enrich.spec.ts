import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError, side as sideTag } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { enrich, keyBy, side } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

type Inputs = Record<'stream' | 'table', MarbleInput>;
const latest = ({ stream, table }: Inputs) => enrich('enrich', stream, table, { asOf: 'latest' });
const asOf = ({ stream, table }: Inputs) => enrich('enrich', stream, table, { asOf: 'record', type: 'left' });

describe('enrich', () => {
  it("adds the table's value when a record comes", () => {
    marbles(({ job, expectElements }) => {
      const stream = '  -a---b---c-----d-|';
      const table = '   ---p---q---n-----|';
      const values = { n: null };
      const inner = '   -----s---t-------|';
      const left = '    -r---s---t-----u-|';
      const results = { r: ['a', undefined], s: ['b', 'p'], t: ['c', 'q'], u: ['d', undefined] };
      expectElements(job({ stream, table }, latest, { values })).toBe(inner, results);
      const outer = job(
        { stream, table },
        ({ stream, table }) => enrich('enrich', stream, table, { asOf: 'latest', type: 'left' }),
        { values },
      );
      expectElements(outer).toBe(left, results);
    });
  });

  it('looks up the key, keeps the time of the record, and makes the result', () => {
    marbles(({ job, record, expectElements }) => {
      const byLetter = (input: MarbleInput) => input.pipe(keyBy(value => (value as string).slice(0, 1)));
      const values = { a: record('x1', 5), b: record('y1', 6), p: record('x!', 9), q: record('y-', 9), r: 'y?' };
      const run = job(
        { stream: '-------a-b-|', table: '-p-r-q-----|' },
        ({ stream, table }) =>
          enrich('enrich', byLetter(stream), byLetter(table), {
            asOf: 'latest',
            type: 'left',
            deletes: value => (value as string).endsWith('-'),
            result: (left, right) => `${left}+${right}`,
          }),
        { values },
      );
      expectElements(run).toBe('-------s-t-|', { s: record('x1+x!', 5, 'x'), t: record('y1+undefined', 6, 'y') });
    });
  });

  it('adds what was valid at the time of a record, when the watermark has reached it', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const marks = { V: watermark(10), W: watermark(12) };
      const values = {
        a: record('a', 12),
        b: record('b', 10),
        c: record('c', 20),
        p: record('p', 11),
        q: record('q', 13),
        ...marks,
      };
      const stream = '  -a-b-----V----W--c-|';
      const table = '   -----p-q-V----W----|';
      const expected = '---------(sV)-(tW)-(u|)';
      expectElements(job({ stream, table }, asOf, { values })).toBe(expected, {
        ...marks,
        s: record(['b', undefined], 10),
        t: record(['a', 'p'], 12),
        u: record(['c', 'q'], 20),
      });
    });
  });

  it('goes on from its checkpointed table after a crash, and shows each result once', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const stream = '  -----B-a-X---b-|';
      const table = '   ---p-----------|';
      const expected = '-----B-s-s---t-|';
      const committed = '---------------(st)';
      const run = job({ stream, table }, latest);
      const results = { s: ['a', 'p'], t: ['b', 'p'] };
      expectElements(run).toBe(expected, results);
      expectCommitted(run).toBe(committed, results);
    });
  });

  it('lets checkpointed records wait on after a crash', () => {
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(10);
      const values = { a: record('a', 10), p: record('p', 8), q: record('q', 9), W };
      const stream = '  -a-B-------W---|';
      const table = '   -p-----q-X-W---|';
      const expected = '---B-------(sW)|';
      expectElements(job({ stream, table }, asOf, { values })).toBe(expected, { W, s: record(['a', 'q'], 10) });
    });
  });

  it('sends records to the side for which the table has forgotten its past', () => {
    const late = sideTag<unknown>('late');
    marbles(({ job, record, watermark, expectElements }) => {
      const W = watermark(20);
      const values = { p: record('p', 5), q: record('q', 18), a: record('a', 17), b: record('b', 15), W };
      const run = job(
        { stream: '-----W-a-b-|', table: '-p-q-W-----|' },
        ({ stream, table }) => {
          const out = enrich('enrich', stream, table, { asOf: 'record', retention: 5, late });
          return { out, late: out.pipe(side(late)) };
        },
        { values },
      );
      expectElements(run, 'out').toBe('-----W-s---|', { W, s: record(['a', 'p'], 17) });
      expectElements(run, 'late').toBe('-----W---b-|', { W });
    });
  });

  it('completes when both inputs have, and passes the error of one', () => {
    marbles(({ job, expectElements }) => {
      for (const enriched of [latest, asOf]) {
        expectElements(job({ stream: '|', table: '---|' }, enriched)).toBe('---|');
        expectElements(job({ stream: '-----|', table: '--#' }, enriched)).toBe('--#', {}, expect.anything());
      }
    });
  });

  it('fails when result or deletes throws, or a record has no time where it counts', () => {
    marbles(({ job, expectElements }) => {
      const failing = (what: 'result' | 'deletes') =>
        job({ stream: '---a-|', table: '-p---|' }, ({ stream, table }) =>
          enrich('enrich', stream, table, {
            asOf: 'latest',
            [what]: () => {
              throw new Error(`no ${what}`);
            },
          }),
        );
      const saying = (text: string) => expect.objectContaining({ message: expect.stringContaining(text) });
      expectElements(failing('result')).toBe('---#', {}, saying('no result'));
      expectElements(failing('deletes')).toBe('-#', {}, saying('no deletes'));
      const timeless = job({ stream: '---|', table: '-p-|' }, asOf);
      expectElements(timeless).toBe('-#', {}, saying('enrich("enrich") needs the time of each record'));
    });
  });

  it('refuses what cannot be meant', () => {
    const stream = () => from<string>((async function* () {})(), { name: 'texts' });
    const enriched = (options: object) => () =>
      enrich('enrich', stream(), stream(), { asOf: 'latest', ...options } as { asOf: 'latest' });
    expect(enriched({ asOf: undefined })).toThrow(/asOf is undefined: give "latest"/);
    expect(enriched({ type: 'full' })).toThrow(/it is "inner" or "left"/);
    expect(enriched({ deletes: true })).toThrow(/deletes is no function/);
    expect(enriched({ retention: '1m' })).toThrow(/retention and late are for asOf: "record"/);
    expect(enriched({ asOf: 'record', retention: -1 })).toThrow(JobDefinitionError);
  });

  itEnds(stream => latest({ stream, table: stream }));
});
