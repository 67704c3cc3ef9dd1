import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Generator } from '../../../samples/nexmark/generator/generator.ts';
import { type QueryName, queries, queryNames } from '../../../samples/nexmark/queries/index.ts';
import { expected } from '../../../samples/nexmark/reference.ts';
import { answerOf, type Happening, inputOf, linesOf } from './query-run.ts';

/** q12 goes by the clock and has a spec of its own. */
const byEventTime = queryNames.filter(name => name !== 'q12');

const goldenLines = (query: QueryName, events: Parameters<(typeof expected)[string]>[0]): string[] =>
  linesOf(query, expected[query]?.(events) ?? []);

const eventsOf = (generator: Generator, count: number) => Array.from({ length: count }, (_, n) => generator.at(n));

describe('the Nexmark queries', () => {
  it('all have a golden answer', () => {
    expect(Object.keys(expected).sort()).toEqual([...byEventTime].sort());
  });

  describe.each(byEventTime)('%s', query => {
    it.each([
      ['in order', 0],
      ['out of order', 2_000],
    ])('gives what plain loops give, with events %s', async (_, disorderMs) => {
      const generator = new Generator({ seed: 11, eventsPerSecond: 300, disorderMs });
      const events = eventsOf(generator, 15_000);
      const { rows } = await answerOf(query, inputOf(generator, events));
      const golden = goldenLines(query, events);
      expect(golden.length).toBeGreaterThan(4);
      expect(linesOf(query, rows)).toEqual(golden);
    });

    it('gives the same whatever the events, through crashes, checkpoints and watermarks anywhere', async () => {
      const count = 2_500;
      const happening: fc.Arbitrary<Happening> = fc.record({
        behind: fc.nat(count - 1),
        what: fc.constantFrom('watermark', 'checkpoint', 'crash'),
      });
      let restarted = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.integer(),
          fc.constantFrom(0, 1, 700, 3_000, 15_000),
          fc.array(happening, { minLength: 6, maxLength: 30 }),
          async (seed, disorderMs, happenings) => {
            const generator = new Generator({ seed, eventsPerSecond: 90, disorderMs });
            const events = eventsOf(generator, count);
            const { rows, restarts } = await answerOf(query, inputOf(generator, events, happenings));
            expect(linesOf(query, rows)).toEqual(goldenLines(query, events));
            restarted += restarts;
          },
        ),
        { numRuns: 20 },
      );
      expect(restarted).toBeGreaterThan(0);
    });

    it('gives nothing for no events', async () => {
      expect(await answerOf(query, [])).toEqual({ rows: [], restarts: 0 });
    });
  });
});

describe('the table of queries', () => {
  it('has those that are known, by name', () => {
    expect(Object.keys(queries)).toEqual(['events', 'q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q7', 'q8', 'q11', 'q12']);
  });
});
