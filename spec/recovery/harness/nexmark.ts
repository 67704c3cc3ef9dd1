import { Generator } from '../../../samples/nexmark/generator/generator.ts';
import type { QueryName } from '../../../samples/nexmark/queries/index.ts';
import { expected, sortedOnly } from '../../../samples/nexmark/reference.ts';

/** The queries that are killed: all that go by event time. */
export const killedQueries = ['q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q7', 'q8', 'q11'] as const satisfies QueryName[];

/**
 * Five minutes of event time. No two auctions of a category expire in the same millisecond, so that q4 gives the same of a topic
 * with several partitions.
 */
export const generated = { count: 16_000, seed: 23, eventsPerSecond: 50, disorderMs: 2_000 } as const;

const generator = new Generator(generated);
export const events = Array.from({ length: generated.count }, (_, n) => generator.at(n));

/** The lines of the answer, from plain loops over all events. */
export function goldenLines(query: QueryName): readonly string[] {
  return (expected[query]?.(events) ?? []).map(row => JSON.stringify(row));
}

/** Whether the lines of one source come in the order of the golden ones. */
export const isOrdered = (query: QueryName): boolean => !sortedOnly.includes(query);

/** Lines that are there more often than they may be. */
export function surplus(lines: readonly string[], golden: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of golden) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter(line => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times < 1;
  });
}
