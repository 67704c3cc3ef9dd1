import { inFreshProcess } from '../harness/fresh-process.ts';
import type { Findings } from '../harness/result.ts';
import type { Sample } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const records = 10_000_000;

const variants = {
  windows: 'sliding windows, 20 s by 1 s',
  ttl: 'a value with a lifetime of 20 s of event time',
} as const;

/** Whether heap and store stay as they are while keys come and go. */
export async function heap(): Promise<Findings> {
  const results: { label: string; samples: Sample[] }[] = [];
  for (const [name, label] of Object.entries(variants)) {
    results.push({ label, samples: await inFreshProcess<Sample[]>(script, [name, `${records}`], ['--expose-gc']) });
  }
  return {
    title: 'Heap',
    method:
      `${records.toLocaleString('en')} records at 10,000 a second of their time, each key with ten in a row, so that 1,000 keys come and as many go ` +
      'every second; the file store, a checkpoint every second of the clock. Heap after a collection, and bytes of the store, behind each tenth.',
    tables: results.map(({ label, samples }) => ({
      head: [label, 'heap, MB', 'store, kB', 'keys'],
      rows: samples.map(({ records, heap, store, keys }) => [
        records.toLocaleString('en'),
        (heap / 1e6).toFixed(1),
        Math.round(store / 1e3).toLocaleString('en'),
        keys.toLocaleString('en'),
      ]),
    })),
    targets: results.map(({ label, samples }) => {
      // The first ones fill what is kept anyway.
      const [early, late] = [highest(samples.slice(2, 5)), highest(samples.slice(-3))];
      return {
        claim: `${label}: heap of the last three tenths at most 1.1 of the third to fifth, store at most 1.5`,
        measured: `${(late.heap / early.heap).toFixed(2)} and ${(late.store / early.store).toFixed(2)}`,
        isMet: late.heap <= early.heap * 1.1 && late.store <= early.store * 1.5,
      };
    }),
    figures: results,
  };
}

function highest(samples: readonly Sample[]): { heap: number; store: number } {
  return {
    heap: Math.max(...samples.map(({ heap }) => heap)),
    store: Math.max(...samples.map(({ store }) => store)),
  };
}
