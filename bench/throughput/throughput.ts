import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { median, summary } from '../harness/statistics.ts';
import type { VariantName } from './chains.ts';
import { barrierEvery } from './feed.ts';
import { accounts, batchSize } from './payments.ts';
import type { VariantResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 7;

interface Variant {
  readonly name: VariantName;
  readonly label: string;
  readonly timed: number;
  /** No other chain has run in the process. */
  readonly isAlone?: true;
  /** The label of the chain that it is compared with. */
  readonly base?: string;
}

const million = 1_000_000;
const variants: readonly Variant[] = [
  { name: 'plain-count', label: 'RxJS, count in a Map', timed: 4 * million },
  { name: 'job-count', label: 'job, returned count', timed: 4 * million, base: 'RxJS, count in a Map' },
  { name: 'plain-object', label: 'RxJS, object in a Map', timed: 4 * million },
  { name: 'job-object', label: 'job, returned object', timed: 2 * million, base: 'RxJS, object in a Map' },
  { name: 'job-draft', label: 'job, Immer draft', timed: million, base: 'RxJS, object in a Map' },
  { name: 'plain-groupBy', label: 'RxJS, count in groupBy', timed: 2 * million },
  { name: 'plain-count', label: 'RxJS, count in a Map, alone', timed: 4 * million, isAlone: true },
  {
    name: 'job-count',
    label: 'job, returned count, alone',
    timed: 4 * million,
    isAlone: true,
    base: 'RxJS, count in a Map, alone',
  },
];

/** Records per second of a chain as a job with checkpoints, against the same chain in RxJS alone. */
export async function throughput(): Promise<Findings> {
  const results = new Map<Variant, VariantResult[]>(variants.map(variant => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [variant, measured] of results) measured.push(await run(variant));
  }
  verifySums(results);
  const rate = (label: string) => {
    const measured = [...results].find(([variant]) => variant.label === label)?.[1] ?? [];
    return median(measured.map(({ recordsPerSecond }) => recordsPerSecond));
  };
  const plain = rate('RxJS, count in a Map');
  const counting = rate('job, returned count');
  const drafting = rate('job, Immer draft');
  const wanted = Math.max(3 * million, 0.6 * plain);
  return {
    title: 'Throughput of a keyed count',
    method:
      `map, filter, keyBy, keyed count and map over ${accounts.toLocaleString('en')} keys, in batches of ${batchSize} with a turn of ` +
      `the event loop between them, and a checkpoint to the memory store every ${barrierEvery.toLocaleString('en')} records; against ` +
      `the same chain of RxJS, fed through a bare Subscriber. Median (and range) of ${rounds} fresh processes each, which take turns. ` +
      'Another chain has run before in the process, but for those called "alone": there V8 compiles a chain of RxJS into one loop, ' +
      'which it cannot do in an application that has two.',
    tables: [
      {
        head: ['million records/s', 'by the clock', 'range', 'by processor time of the thread', 'of RxJS'],
        rows: [...results].map(([{ label, base }, measured]) => {
          const clock = summary(measured.map(({ recordsPerSecond }) => recordsPerSecond));
          const cpu = summary(measured.map(({ recordsPerCpuSecond }) => recordsPerCpuSecond));
          return [
            label,
            millions(clock.median),
            `${millions(clock.min)} to ${millions(clock.max)}`,
            millions(cpu.median),
            base === undefined ? '' : (clock.median / rate(base)).toFixed(2),
          ];
        }),
      },
    ],
    targets: [
      {
        claim: `job, returned count: at least 3 M records/s and 0.6 of RxJS (${millions(wanted)} M/s)`,
        measured: `${millions(counting)} M/s, ${(counting / plain).toFixed(2)}`,
        isMet: counting >= wanted,
      },
      {
        claim: 'job, Immer draft: at least 0.5 M records/s',
        measured: `${millions(drafting)} M/s`,
        isMet: drafting >= 0.5 * million,
      },
    ],
    figures: [...results].map(([variant, measured]) => ({ ...variant, measured })),
  };
}

function run({ name, timed, isAlone }: Variant): Promise<VariantResult> {
  return inFreshProcess<VariantResult>(script, [name, `${timed}`, `${timed / 2}`, ...(isAlone ? [] : ['beside'])]);
}

/** A chain that is fast because it is wrong must not count. */
function verifySums(results: ReadonlyMap<Variant, readonly VariantResult[]>): void {
  const sums = new Map<string, number>();
  for (const [{ name, timed, label }, measured] of results) {
    const kind = `${name.includes('count') || name.includes('groupBy') ? 'count' : 'object'} of ${timed}`;
    for (const { sum } of measured) {
      const expected = sums.get(kind) ?? sum;
      sums.set(kind, expected);
      if (sum !== expected) throw new Error(`${label} added up to ${sum}, another chain to ${expected}`);
    }
  }
}

function millions(perSecond: number): string {
  return (perSecond / million).toFixed(2);
}
