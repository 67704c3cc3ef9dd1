import { AnsweringProcess } from '../harness/fresh-process.ts';
import { manyKeys } from '../harness/payment.ts';
import type { Findings } from '../harness/result.ts';
import { median, percentile, summary } from '../harness/statistics.ts';
import { type StoreName, withStore } from '../harness/stores.ts';
import type { LongestGap } from './gap-meter.ts';
import { batchSize, changedKeys, windowMs } from './load.ts';
import type { Second } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const checkpoints = 50;
/** Pairs of processes: how fast one is depends on where its memory came to lie, too. */
const rounds = 5;
/** Seconds of a process before those that count: the first checkpoint holds every key, the next ones run in code that is not compiled yet. */
const warmUp = 4;
/**
 * V8 copies what is alive among young objects in one pause: here the states of some ten thousand keys, scattered over the heap. A
 * smaller young generation has shorter pauses, more often.
 */
const shortPauses = ['--max-semi-space-size=4'];
const configurations: readonly Configuration[] = [
  { store: 'files', state: 'count', flags: shortPauses },
  { store: 'Redis', state: 'count', flags: shortPauses },
  { store: 'files', state: 'object', flags: shortPauses },
  { store: 'Redis', state: 'object', flags: shortPauses },
  { store: 'files', state: 'count', flags: [] },
];
const maxGapMs = 10;
const maxLoss = 0.1;

interface Configuration {
  readonly store: StoreName;
  /** Of a key: a number, or an object with two numbers. */
  readonly state: 'count' | 'object';
  /** Of Node. */
  readonly flags: readonly string[];
}

/** What a checkpoint of a large state costs the stream: the longest gap between two records, and throughput. */
export async function barrier(): Promise<Findings> {
  const measured = [];
  for (const configuration of configurations) {
    measured.push({ ...configuration, ...digest(await seconds(configuration)) });
  }
  return {
    title: 'Checkpoints of a large state',
    method:
      `${manyKeys.toLocaleString('en')} keys with a count each, or an object of two numbers, records as fast as they are taken, in batches of ` +
      `${batchSize} with a turn of the event loop between them. One checkpoint a second, of ${changedKeys.toLocaleString('en')} keys ` +
      'that have changed, half of which go on changing. The longest gap between two records is taken from the barrier to the commit, ' +
      `and stated as median and 99th percentile of ${checkpoints} checkpoints. Throughput is compared with the same job without ` +
      `checkpoints in a process of its own; the two take turns, second by second, and the loss is the median of the pairs, over ${rounds} ` +
      "pairs of processes. Gaps hold the pauses of V8's collector: those of the young generation are shorter when it is smaller; those in " +
      'which it collects the whole heap come every few seconds without checkpoints, too, so the p99 is stated besides them as well. Gaps ' +
      `without checkpoints are looked for in ${windowMs} ms of each second.`,
    tables: [
      {
        head: [
          'state',
          'store',
          "Node's flags",
          'gap, ms: median',
          'p99',
          'p99 besides full collections',
          'p99 without checkpoints',
          'checkpoint, ms',
          'loss',
          'by processor time',
          'M records/s',
          'gap of the first one, of all keys',
        ],
        rows: measured.map(
          ({ state, store, flags, gap, ownGap, idleGap, durationMs, loss, cpuLoss, recordsPerSecond, firstGapMs }) => [
            state,
            store,
            flags.join(' '),
            gap.median.toFixed(1),
            gap.p99.toFixed(1),
            ownGap.p99.toFixed(1),
            idleGap.p99.toFixed(1),
            durationMs.median.toFixed(0),
            percent(loss),
            percent(cpuLoss),
            (recordsPerSecond / 1_000_000).toFixed(2),
            firstGapMs.toFixed(1),
          ],
        ),
      },
    ],
    targets: measured
      .filter(({ flags }) => flags === shortPauses)
      .flatMap(({ state, store, gap, loss }) => [
        {
          claim: `${state}, ${store}: the longest gap during a checkpoint is below ${maxGapMs} ms (p99 of ${checkpoints})`,
          measured: `${gap.p99.toFixed(1)} ms`,
          isMet: gap.p99 < maxGapMs,
        },
        {
          claim: `${state}, ${store}: throughput loss at one checkpoint a second is below ${percent(maxLoss)}`,
          measured: percent(loss),
          isMet: loss < maxLoss,
        },
      ]),
    figures: measured,
  };
}

/** A second with a checkpoint, and the second of the job without that came before it. */
interface Pair {
  readonly without: Second;
  readonly with: Second;
}

async function seconds({ store, state, flags }: Configuration): Promise<Pair[][]> {
  const all: Pair[][] = [];
  for (let round = 0; round < rounds; round++) {
    const pairs = await withStore(store, async target => {
      await using without = await AnsweringProcess.start(script, [`${target}/1`, 'none', state], flags);
      await using taking = await AnsweringProcess.start(script, [`${target}/2`, 'checkpoints', state], flags);
      const pairs: Pair[] = [];
      for (let n = 0; n < warmUp + checkpoints / rounds; n++) {
        pairs.push({ without: await without.ask<Second>('go'), with: await taking.ask<Second>('go') });
      }
      return pairs;
    });
    all.push(pairs);
  }
  return all;
}

function digest(rounds: readonly (readonly Pair[])[]) {
  const counted = rounds.flatMap(pairs => pairs.slice(warmUp));
  const taken = counted.map(pair => pair.with);
  return {
    firstGapMs: median(rounds.map(([first]) => first?.with.longestGap.wallMs ?? Number.NaN)),
    gap: gapsOf(taken, ({ wallMs }) => wallMs),
    ownGap: gapsOf(taken, gap => gap.wallMsBesidesFullCollections),
    cpuGap: gapsOf(taken, ({ cpuMs }) => cpuMs),
    idleGap: gapsOf(
      counted.map(pair => pair.without),
      ({ wallMs }) => wallMs,
    ),
    durationMs: summary(taken.flatMap(({ checkpoint }) => checkpoint?.durationMs ?? [])),
    recordsPerSecond: median(taken.map(({ recordsPerSecond }) => recordsPerSecond)),
    loss: median(counted.map(pair => 1 - pair.with.recordsPerSecond / pair.without.recordsPerSecond)),
    cpuLoss: median(counted.map(pair => 1 - pair.with.recordsPerCpuSecond / pair.without.recordsPerCpuSecond)),
    rounds,
  };
}

function gapsOf(spans: readonly { readonly longestGap: LongestGap }[], of: (gap: LongestGap) => number) {
  const gaps = spans.map(({ longestGap }) => of(longestGap));
  return { ...summary(gaps), p99: percentile(gaps, 0.99) };
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
