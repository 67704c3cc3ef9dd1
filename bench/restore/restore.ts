import { inFreshProcess } from '../harness/fresh-process.ts';
import { manyKeys } from '../harness/payment.ts';
import type { Findings } from '../harness/result.ts';
import { summary } from '../harness/statistics.ts';
import { storeNames, withStore } from '../harness/stores.ts';
import { deltaKeys, deltas } from './load.ts';
import type { RestoreResult } from './variant.ts';

const script = new URL('./variant.ts', import.meta.url);
const flags = ['--expose-gc'];
const rounds = 5;
const kinds = ['count', 'object'] as const;
const maxRestoreMs = 5_000;

/** How long a large state takes to come back, and what a key costs. */
export async function restore(): Promise<Findings> {
  const measured = [];
  for (const store of storeNames) {
    for (const kind of kinds) {
      const results = await withStore(store, async target => {
        await inFreshProcess(script, ['write', target, kind], flags);
        const results: RestoreResult[] = [];
        for (let round = 0; round < rounds; round++) {
          results.push(await inFreshProcess<RestoreResult>(script, ['restore', target, kind], flags));
        }
        return results;
      });
      measured.push({
        store,
        kind,
        restoreMs: summary(results.map(({ restoreMs }) => restoreMs)),
        cpuMs: summary(results.map(({ cpuMs }) => cpuMs)),
        heapBytesPerKey: summary(results.map(({ heapBytesPerKey }) => heapBytesPerKey)),
      });
    }
  }
  const slowest = Math.max(...measured.map(({ restoreMs }) => restoreMs.median));
  return {
    title: 'Restore of a large state',
    method:
      `From start to the first record, for ${manyKeys.toLocaleString('en')} keys such as "account-123456" in one full snapshot and ` +
      `${deltas} deltas of ${deltaKeys.toLocaleString('en')} keys: a count (a number), or an object with two numbers. Heap is what ` +
      `the process holds more than before, after a full collection, by key, the key itself included. Median (and range) of ${rounds} ` +
      'fresh processes each.',
    tables: [
      {
        head: ['state', 'restore, s', 'range', 'processor time, s', 'heap per key, bytes'],
        rows: measured.map(({ store, kind, restoreMs, cpuMs, heapBytesPerKey }) => [
          `${kind} from ${store}`,
          seconds(restoreMs.median),
          `${seconds(restoreMs.min)} to ${seconds(restoreMs.max)}`,
          seconds(cpuMs.median),
          heapBytesPerKey.median.toFixed(0),
        ]),
      },
    ],
    targets: [
      {
        claim: `restored from files and from Redis in less than ${seconds(maxRestoreMs)} s each`,
        measured: `${seconds(slowest)} s`,
        isMet: slowest < maxRestoreMs,
      },
    ],
    figures: measured,
  };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
