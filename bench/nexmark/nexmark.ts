import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { summary } from '../harness/statistics.ts';
import {
  batchSize,
  disorderMs,
  events,
  eventsBetweenLooks,
  eventsPerSecond,
  type MeasuredQuery,
  measured,
} from './load.ts';
import type { NexmarkResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 3;

/** Events per second through queries of the sample `nexmark`, and the heap that they take. */
export async function nexmark(): Promise<Findings> {
  const results = new Map<MeasuredQuery, NexmarkResult[]>(measured.map(query => [query, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [query, of] of results) of.push(await inFreshProcess<NexmarkResult>(script, [query], ['--expose-gc']));
  }
  const all = [...results.values()].flat();
  const committed = all.reduce((sum, result) => sum + result.committed, 0);
  const others = all.reduce((sum, result) => sum + result.notCommitted, 0);
  const differing = [...results.values()].filter(of => new Set(of.map(({ rows }) => rows)).size > 1).length;
  return {
    title: 'Nexmark',
    method:
      `${count(events)} events of the generator of samples/nexmark from memory to a sink that keeps nothing: ${count(eventsPerSecond)} in a second ` +
      `of event time, up to ${disorderMs / 1_000} s out of order, in batches of ${batchSize} with a turn of the event loop between them. Behind ` +
      `each ${count(eventsBetweenLooks)} comes a checkpoint to the memory store; at the end everything open is closed. The clock stands while the next ` +
      `${count(eventsBetweenLooks)} events are made, and while the heap is looked at, after a collection and without events beside those that the query keeps. ` +
      `Counted are all events, also those that a query passes over. Median (and range) of ${rounds} fresh processes each, which take turns; each ` +
      `has run the query over ${count(2 * eventsBetweenLooks)} events before. q0 hands every event on: what the source, its event time and its watermarks cost.`,
    tables: [
      {
        head: ['million events/s', 'by the clock', 'range', 'by processor time of the thread', 'range', 'lines'],
        rows: [...results].map(([query, of]) => [
          query,
          ...medianAndRange(of.map(({ recordsPerSecond }) => recordsPerSecond / 1e6)),
          ...medianAndRange(of.map(({ recordsPerCpuSecond }) => recordsPerCpuSecond / 1e6)),
          count(of[0]?.rows ?? 0),
        ]),
      },
      {
        head: ['heap, MB', 'before the first event', 'highest of ten looks', 'range', 'the last one'],
        rows: [...results].map(([query, of]) => {
          const [highest = '', range = ''] = medianAndRange(
            of.map(({ heaps }) => Math.max(...heaps) / 1e6),
            1,
          );
          const [before = ''] = medianAndRange(
            of.map(({ heaps }) => (heaps[0] ?? 0) / 1e6),
            1,
          );
          const [last = ''] = medianAndRange(
            of.map(({ heaps }) => (heaps.at(-1) ?? 0) / 1e6),
            1,
          );
          return [query, before, highest, range, last];
        }),
      },
    ],
    targets: [
      {
        claim: 'every checkpoint is committed',
        measured: `${committed} of ${committed + others}`,
        isMet: others === 0 && committed > 0,
      },
      {
        claim: 'the processes of a query give equally many lines',
        measured: `${results.size - differing} of ${results.size} queries`,
        isMet: differing === 0,
      },
    ],
    figures: [...results].map(([query, of]) => ({ query, measured: of })),
  };
}

const count = (n: number): string => n.toLocaleString('en');

function medianAndRange(values: readonly number[], digits = 2): [string, string] {
  const { median, min, max } = summary(values);
  return [median.toFixed(digits), `${min.toFixed(digits)} to ${max.toFixed(digits)}`];
}
