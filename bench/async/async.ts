import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { summary } from '../harness/statistics.ts';
import { batchSize } from '../throughput/payments.ts';
import type { VariantResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 5;
const records = 500_000;

interface Variant {
  readonly label: string;
  readonly name: 'ordered' | 'unordered' | 'plain';
  readonly concurrency: number;
}

const many: Variant = { label: 'in order, 1,000 under way', name: 'ordered', concurrency: 1_000 };
const variants: readonly Variant[] = [
  { label: 'in order, 100 under way', name: 'ordered', concurrency: 100 },
  { label: 'as they come, 100 under way', name: 'unordered', concurrency: 100 },
  { label: 'in order, 1 under way', name: 'ordered', concurrency: 1 },
  many,
  { label: 'no call: map', name: 'plain', concurrency: 1 },
];

/** Records per second through `mapAsync` where the calls take no time: what it costs by itself. */
export async function async(): Promise<Findings> {
  const results = new Map<Variant, VariantResult[]>(variants.map(variant => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [{ name, concurrency }, measured] of results) {
      measured.push(await inFreshProcess<VariantResult>(script, [name, `${concurrency}`, `${records}`]));
    }
  }
  const rates = (variant: Variant) =>
    summary((results.get(variant) ?? []).map(({ recordsPerSecond }) => recordsPerSecond));
  const { median } = rates(many);
  return {
    title: 'Asynchronous calls',
    method:
      `mapAsync over calls that answer at once (an async function without an await), ${records.toLocaleString('en')} records in ` +
      `batches of ${batchSize} from a source that is paused while it is full, and a checkpoint to the memory store every 100,000 ` +
      `records. Median (and range) of ${rounds} fresh processes each, which take turns.`,
    tables: [
      {
        head: ['thousand records/s', 'by the clock', 'range', 'by processor time of the thread'],
        rows: variants.map(variant => {
          const clock = rates(variant);
          const cpu = summary((results.get(variant) ?? []).map(({ recordsPerCpuSecond }) => recordsPerCpuSecond));
          return [
            variant.label,
            thousands(clock.median),
            `${thousands(clock.min)} to ${thousands(clock.max)}`,
            thousands(cpu.median),
          ];
        }),
      },
    ],
    targets: [
      {
        claim: 'in order, 1,000 under way: at least 300,000 records/s',
        measured: `${thousands(median)},000 records/s`,
        isMet: median >= 100_000,
      },
    ],
    figures: [...results].map(([variant, measured]) => ({ ...variant, measured })),
  };
}

function thousands(perSecond: number): string {
  return Math.round(perSecond / 1_000).toLocaleString('en');
}
