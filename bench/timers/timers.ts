import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import { summary } from '../harness/statistics.ts';
import { changedTimers, manyTimers, watermarks } from './load.ts';
import type { Spent, TimersResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const rounds = 3;
const kinds = ['event', 'processing'] as const;
const maxMs = 3_000;
const maxStallMs = 10;

/** What a million timers cost, and a checkpoint of them. */
export async function timers(): Promise<Findings> {
  const measured = [];
  for (const kind of kinds) {
    const results: TimersResult[] = [];
    for (let round = 0; round < rounds; round++) results.push(await inFreshProcess<TimersResult>(script, [kind]));
    const phase = (name: 'set' | 'fired', clock: keyof Spent) => summary(results.map(result => result[name][clock]));
    measured.push({
      kind,
      setMs: phase('set', 'wallMs'),
      setCpuMs: phase('set', 'cpuMs'),
      firedMs: phase('fired', 'wallMs'),
      firedCpuMs: phase('fired', 'cpuMs'),
      cpuMs: summary(results.map(({ set, fired }) => set.cpuMs + fired.cpuMs)),
      deltaEntries: summary(results.map(({ delta }) => delta.entries)),
      stallMs: summary(results.flatMap(({ full, delta }) => [full.stallMs, delta.stallMs])),
    });
  }
  const slowest = Math.max(...measured.map(({ cpuMs }) => cpuMs.median));
  const longestStall = Math.max(...measured.map(({ stallMs }) => stallMs.max));
  const mostEntries = Math.max(...measured.map(({ deltaEntries }) => deltaEntries.max));
  return {
    title: 'A million timers',
    method:
      `${manyTimers.toLocaleString('en')} timers, each of another key and set by a record of its own, in no order of time; then they fire: ` +
      `event time in ${watermarks.toLocaleString('en')} watermarks, the others all at once, by a clock that is put forward. Between the two, a ` +
      `checkpoint of them all, ${changedTimers.toLocaleString('en')} timers more, and another checkpoint, none of which is in the times. ` +
      `Median (and range) of ${rounds} fresh processes each.`,
    tables: [
      {
        head: [
          'timers',
          'set, s',
          'processor time, s',
          'fired, s',
          'processor time, s',
          'both, processor time, s',
          'range',
        ],
        rows: measured.map(({ kind, setMs, setCpuMs, firedMs, firedCpuMs, cpuMs }) => [
          kind,
          seconds(setMs.median),
          seconds(setCpuMs.median),
          seconds(firedMs.median),
          seconds(firedCpuMs.median),
          seconds(cpuMs.median),
          `${seconds(cpuMs.min)} to ${seconds(cpuMs.max)}`,
        ]),
      },
    ],
    targets: [
      {
        claim: `a million timers set and fired in less than ${seconds(maxMs)} s of processor time`,
        measured: `${seconds(slowest)} s`,
        isMet: slowest < maxMs,
      },
      {
        claim: `a checkpoint writes the timers that changed, ${changedTimers}, and no others`,
        measured: `${mostEntries} entries`,
        isMet: mostEntries === changedTimers,
      },
      {
        claim: `and keeps records waiting for less than ${maxStallMs} ms`,
        measured: `${longestStall.toFixed(1)} ms`,
        isMet: longestStall < maxStallMs,
      },
    ],
    figures: measured,
  };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
