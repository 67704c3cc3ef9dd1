import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check, memoryStore, type SnapshotStore, start } from '../../../lib/index.ts';
import { Generator } from '../../../samples/nexmark/generator/generator.ts';
import nexmark from '../../../samples/nexmark/job.ts';
import { type QueryName, queryNames } from '../../../samples/nexmark/queries/index.ts';
import { expected } from '../../../samples/nexmark/reference.ts';
import { quiet } from '../../job/quiet.ts';
import { linesOf } from './query-run.ts';

type Params = Readonly<Record<string, string>>;

let out: string;
let store: SnapshotStore;

beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'tidemark-nexmark-'));
  store = memoryStore();
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const run = (params: Params) =>
  start(nexmark, {
    params: { out, ...params },
    store,
    logger: quiet,
    checkpoint: { interval: '20ms', onCancel: 'keep' },
  });

/** Lets a run come to a checkpoint, and a little further. */
const untilCommitted = (handle: ReturnType<typeof run>) =>
  firstValueFrom(handle.checkpoints$.pipe(filter(({ outcome }) => outcome === 'committed')));

const text = (query: QueryName): string => readFileSync(path.join(out, `${query}.jsonl`), 'utf8');

function golden(query: QueryName, count: number, { seed = 1, eventsPerSecond = 1_000, disorderMs = 0 } = {}): string {
  const generator = new Generator({ seed, eventsPerSecond, disorderMs });
  const events = Array.from({ length: count }, (_, n) => generator.at(n));
  return linesOf(query, expected[query]?.(events) ?? [])
    .map(line => `${line}\n`)
    .join('');
}

describe('the sample nexmark', () => {
  it.each(['events', 'q1', 'q4', 'q5', 'q7'] as const)(
    'writes what plain loops give for %s, byte for byte',
    async query => {
      await run({ query, events: '25000', seed: '7' }).done;
      expect(text(query)).toBe(golden(query, 25_000, { seed: 7 }));
    },
  );

  it('takes the rate of event time and the disorder as parameters', async () => {
    await run({ query: 'q7', events: '5000', eventsPerSecond: '100', disorder: '2s' }).done;
    expect(text('q7')).toBe(golden('q7', 5_000, { eventsPerSecond: 100, disorderMs: 2_000 }));
  });

  it('reads the events of a file that the query "events" has written', async () => {
    await run({ query: 'events', events: '5000', disorder: '1s' }).done;
    store = memoryStore();
    await run({ query: 'q4', source: 'file', input: path.join(out, 'events.jsonl'), disorder: '1s' }).done;
    expect(text('q4')).toBe(golden('q4', 5_000, { disorderMs: 1_000 }));
  });

  it('gives the same when it is killed again and again, and started again', { timeout: 60_000 }, async () => {
    const params = { query: 'q5', events: '12000', disorder: '1s' };
    for (let kill = 0; kill < 6; kill++) {
      const handle = run({ ...params, rate: '6000' });
      await untilCommitted(handle);
      await handle.cancel();
    }
    expect(text('q5')).not.toBe(golden('q5', 12_000, { disorderMs: 1_000 }));
    await run(params).done;
    expect(text('q5')).toBe(golden('q5', 12_000, { disorderMs: 1_000 }));
  });

  it('refuses to go on with other events than those it began with', async () => {
    const first = run({ query: 'q1', events: '6000', rate: '3000' });
    await untilCommitted(first);
    await first.stop();
    await expect(run({ query: 'q1', events: '6000', seed: '2' }).done).rejects.toThrow(
      /generated with seed 1.* with 2/s,
    );
    await expect(run({ query: 'q1', events: '6000', disorder: '5ms' }).done).rejects.toThrow(/disorderMs 0/);
  });

  it('refuses to go on with another query than the one it began with', async () => {
    const first = run({ query: 'q1', events: '6000', rate: '3000' });
    await untilCommitted(first);
    await first.stop();
    await expect(run({ query: 'q2', events: '6000' }).done).rejects.toThrow(/nexmark-q1/);
    expect(existsSync(path.join(out, 'q2.jsonl'))).toBe(false);
  });
});

describe('the parameters of the sample nexmark', () => {
  const expectRefused = (params: Params, reason: string | RegExp): void => {
    expect(() => check(nexmark, { params })).toThrow(reason);
  };

  it.each(queryNames)('let %s be checked without running it', async query => {
    await check(nexmark, { params: { query, out } });
    expect(existsSync(path.join(out, `${query}.jsonl`))).toBe(false);
  });

  it('say which queries there are when it is none of them, or not said', () => {
    const list = 'choose one of events, q0, q1, q2, q3, q4, q5, q7, q8, q11, q12';
    expectRefused({ query: 'q99' }, `there is no query "q99": ${list}`);
    expectRefused({}, `no query is named: ${list}`);
  });

  it('refuse what is out of range, and names that they do not know', () => {
    expectRefused({ query: 'q1', events: '-1' }, 'events: give a whole number of at least 0');
    expectRefused({ query: 'q1', seed: 'seven' }, 'seed: give a whole number');
    expectRefused({ query: 'q1', eventsPerSecond: '0' }, 'eventsPerSecond: give a number above 0');
    expectRefused({ query: 'q1', disorder: 'much' }, /disorder: .*"250ms"/);
    expectRefused({ query: 'q1', event: '5' }, /"event"/);
  });
});
