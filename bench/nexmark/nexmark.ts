import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { summary } from '../harness/statistics.ts';
import { batchSize, disorderMs, events, eventsPerSecond, type MeasuredQuery, measured, timedMs } from './load.ts';
import type { NexmarkResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 3;

/** Events per second through queries of the sample `nexmark`, with a checkpoint a second. */
export async function nexmark(): Promise<Findings> {
  const results = new Map<MeasuredQuery, NexmarkResult[]>(measured.map(query => [query, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [query, of] of results) of.push(await inFreshProcess<NexmarkResult>(script, [query]));
  }
  const all = [...results.values()].flat();
  const committed = all.reduce((sum, result) => sum + result.committed, 0);
  const others = all.reduce((sum, result) => sum + result.notCommitted, 0);
  return {
    title: 'Nexmark',
    method:
      `${events.toLocaleString('en')} events of the generator of samples/nexmark, made beforehand, ${eventsPerSecond.toLocaleString('en')} in a ` +
      `second of event time, up to ${disorderMs / 1_000} s out of order. They are given as fast as they are taken, in batches of ${batchSize} ` +
      `with a turn of the event loop between them, again and again, for ${timedMs / 1_000} s by the clock, with a checkpoint to the memory ` +
      'store every second and no sink. Counted are all events, also those that a query passes over. Median (and range) of ' +
      `${rounds} fresh processes each, which take turns. q0 hands every event on: what the source, its event time and its watermarks cost.`,
    tables: [
      {
        head: [
          'million events/s',
          'by the clock',
          'range',
          'by processor time of the thread',
          'range',
          'lines per million events',
        ],
        rows: [...results].map(([query, of]) => {
          const clock = summary(of.map(({ recordsPerSecond }) => recordsPerSecond));
          const cpu = summary(of.map(({ recordsPerCpuSecond }) => recordsPerCpuSecond));
          const rows = summary(of.map(({ rowsPerMillion }) => rowsPerMillion));
          return [
            query,
            millions(clock.median),
            `${millions(clock.min)} to ${millions(clock.max)}`,
            millions(cpu.median),
            `${millions(cpu.min)} to ${millions(cpu.max)}`,
            Math.round(rows.median).toLocaleString('en'),
          ];
        }),
      },
    ],
    targets: [
      {
        claim: 'every checkpoint is committed',
        measured: `${committed} of ${committed + others}`,
        isMet: others === 0 && committed > 0,
      },
    ],
    figures: [...results].map(([query, of]) => ({ query, measured: of })),
  };
}

function millions(perSecond: number): string {
  return (perSecond / 1_000_000).toFixed(2);
}
