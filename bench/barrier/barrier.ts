import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { median, percentile, summary } from '../harness/statistics.ts';
import { storeNames, withStore } from '../harness/stores.ts';
import type { Gap } from './gap-meter.ts';
import { changedKeys, keys } from './load.ts';
import type { BarrierResult, Phase } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const checkpoints = 50;
const maxGapMs = 10;
const maxLoss = 0.1;

/** What a checkpoint of a large state costs the stream: the longest gap between two records, and throughput. */
export async function barrier(): Promise<Findings> {
  const measured = [];
  for (const store of storeNames) {
    const { first, phases } = await withStore(store, target =>
      inFreshProcess<BarrierResult>(script, [target, `${checkpoints}`]),
    );
    measured.push({ store, first, phases, ...digest(phases) });
  }
  return {
    title: 'Checkpoints of a large state',
    method:
      `${keys.toLocaleString('en')} keys with an object of two numbers each, records as fast as they are taken, in batches of 500 with ` +
      `a turn of the event loop between them. ${checkpoints} checkpoints, one a second, before each of which ` +
      `${changedKeys.toLocaleString('en')} keys have changed; every third second is one without a checkpoint, for comparison. The ` +
      'longest gap between two records is taken from the barrier to the commit; its 99th percentile over the checkpoints, by the ' +
      'clock and as processor time of the thread. The comparison is the median throughput of the two kinds of seconds.',
    tables: [
      {
        head: [
          'store',
          'gap, ms: median',
          'p99',
          'p99 of processor time',
          'p99 without',
          'checkpoint, ms',
          'loss',
          'M records/s',
        ],
        rows: measured.map(({ store, gap, cpuGap, idleGap, durationMs, loss, recordsPerSecond }) => [
          store,
          gap.median.toFixed(1),
          gap.p99.toFixed(1),
          cpuGap.p99.toFixed(1),
          idleGap.p99.toFixed(1),
          durationMs.median.toFixed(0),
          percent(loss),
          (recordsPerSecond / 1_000_000).toFixed(2),
        ]),
      },
    ],
    targets: measured.flatMap(({ store, gap, loss }) => [
      {
        claim: `${store}: the longest gap during a checkpoint is below ${maxGapMs} ms (p99 of ${checkpoints})`,
        measured: `${gap.p99.toFixed(1)} ms`,
        isMet: gap.p99 < maxGapMs,
      },
      {
        claim: `${store}: throughput loss at one checkpoint a second is below ${percent(maxLoss)}`,
        measured: percent(loss),
        isMet: loss < maxLoss,
      },
    ]),
    figures: measured,
  };
}

function digest(phases: readonly Phase[]) {
  const taken = phases.flatMap(({ checkpoint }) => checkpoint ?? []);
  const without = phases.filter(({ checkpoint }) => !checkpoint);
  const rate = (some: readonly Phase[]) => median(some.map(({ recordsPerSecond }) => recordsPerSecond));
  const recordsPerSecond = rate(phases.filter(({ checkpoint }) => checkpoint));
  return {
    gap: gapsOf(taken, ({ wallMs }) => wallMs),
    cpuGap: gapsOf(taken, ({ cpuMs }) => cpuMs),
    idleGap: gapsOf(without, ({ wallMs }) => wallMs),
    durationMs: summary(taken.map(({ durationMs }) => durationMs)),
    recordsPerSecond,
    loss: 1 - recordsPerSecond / rate(without),
  };
}

function gapsOf(spans: readonly { readonly longestGap: Gap }[], of: (gap: Gap) => number) {
  const gaps = spans.map(({ longestGap }) => of(longestGap));
  return { ...summary(gaps), p99: percentile(gaps, 0.99) };
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
