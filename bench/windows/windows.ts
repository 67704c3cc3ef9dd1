import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { median, summary } from '../harness/statistics.ts';
import type { VariantResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 5;
const records = 2_000_000;

interface Variant {
  readonly label: string;
  readonly name: 'none' | 'tumbling' | 'sliding' | 'session';
  readonly keys: number;
}

const variants: readonly Variant[] = [
  { label: 'keyBy alone', name: 'none', keys: 100 },
  { label: 'tumbling, 60 s, 100 keys', name: 'tumbling', keys: 100 },
  { label: 'sliding, 60 s by 1 s, 100 keys', name: 'sliding', keys: 100 },
  { label: 'sessions, gap 10 s, 100 keys', name: 'session', keys: 100 },
  { label: 'tumbling, 60 s, 1,000 keys', name: 'tumbling', keys: 1_000 },
  { label: 'sliding, 60 s by 1 s, 1,000 keys', name: 'sliding', keys: 1_000 },
  { label: 'sessions, gap 10 s, 1,000 keys', name: 'session', keys: 1_000 },
];

/** Records per second through event-time windows that count. */
export async function windows(): Promise<Findings> {
  const results = new Map<Variant, VariantResult[]>(variants.map(variant => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [{ name, keys }, measured] of results) {
      measured.push(await inFreshProcess<VariantResult>(script, [name, `${keys}`, `${records}`]));
    }
  }
  const rateOf = (variant: Variant | undefined) =>
    summary((variant && results.get(variant))?.map(({ recordsPerSecond }) => recordsPerSecond) ?? []);
  const [, tumbling, sliding] = variants;
  const pairs = results.get(sliding as Variant)?.map(({ recordsPerCpuSecond }, round) => {
    const beside = results.get(tumbling as Variant)?.[round]?.recordsPerCpuSecond ?? Number.NaN;
    return recordsPerCpuSecond / beside;
  });
  const ratio = median(pairs ?? []);
  return {
    title: 'Windows',
    method:
      `Counts in windows by event time, ${records.toLocaleString('en')} records at 10,000 a second of their time, in batches of 1,000, each of which ` +
      'brings a watermark; a checkpoint to the memory store every second. With 100 keys a key has 100 records in each second, with 1,000 it has 10: ' +
      `a sliding window gives a result for each key and second. Median (and range) of ${rounds} fresh processes each, which take turns.`,
    tables: [
      {
        head: ['thousand records/s', 'by the clock', 'range', 'by processor time of the thread', 'windows ended'],
        rows: variants.map(variant => {
          const clock = rateOf(variant);
          const measured = results.get(variant) ?? [];
          const cpu = summary(measured.map(({ recordsPerCpuSecond }) => recordsPerCpuSecond));
          return [
            variant.label,
            thousands(clock.median),
            `${thousands(clock.min)} to ${thousands(clock.max)}`,
            thousands(cpu.median),
            (measured[0]?.results ?? 0).toLocaleString('en'),
          ];
        }),
      },
    ],
    targets: [
      {
        claim: 'sliding by 1 s, 100 keys: at least 0.7 of the tumbling one, by processor time, in turns',
        measured: ratio.toFixed(2),
        isMet: ratio >= 0.7,
      },
    ],
    figures: [...results].map(([variant, measured]) => ({ ...variant, measured })),
  };
}

function thousands(perSecond: number): string {
  return Math.round(perSecond / 1_000).toLocaleString('en');
}
