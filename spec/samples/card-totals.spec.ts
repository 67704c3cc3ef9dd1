import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, type SnapshotStore, start } from '../../lib/index.ts';
import { generatedPayments } from '../../samples/card-totals/generated-payments.ts';
import cardTotals from '../../samples/card-totals/job.ts';
import { paymentAt } from '../../samples/card-totals/payments.ts';
import { expectedTotals } from '../../samples/card-totals/reference.ts';
import { quiet } from '../job/quiet.ts';

let out: string;
let store: SnapshotStore;

beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'tidemark-card-totals-'));
  store = memoryStore();
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const run = (params: Readonly<Record<string, unknown>>) =>
  start(cardTotals, { params: { out, ...params }, store, logger: quiet, checkpoint: { interval: '20ms' } });
const totals = () => readFileSync(path.join(out, 'totals.jsonl'), 'utf8').split('\n').slice(0, -1);

describe('the sample card-totals', () => {
  it('writes what a plain loop gives, byte for byte', async () => {
    await run({ payments: 20_000, seed: 7 }).done;
    expect(totals()).toEqual(expectedTotals(7, 20_000));
  });

  it('does so when it is stopped in the middle and started again', async () => {
    const first = run({ payments: 6_000, rate: 6_000 });
    await firstValueFrom(first.checkpoints$.pipe(filter(({ outcome }) => outcome === 'committed')));
    await first.stop();
    expect(totals().length).toBeLessThan(expectedTotals(1, 6_000).length);
    await run({ payments: 6_000 }).done;
    expect(totals()).toEqual(expectedTotals(1, 6_000));
  });

  it('refuses to go on with other payments than those it began with', async () => {
    const first = run({ payments: 6_000, rate: 3_000 });
    await firstValueFrom(first.checkpoints$.pipe(filter(({ outcome }) => outcome === 'committed')));
    await first.stop();
    const other = run({ payments: 6_000, seed: 2 });
    await expect(other.done).rejects.toThrow(/belongs to the payments of seed 1, .* seed 2/);
  });
});

describe('generated payments', () => {
  it('are fixed by their seed, differ with it, and begin anywhere', () => {
    const some = (seed: number) => Array.from({ length: 100 }, (_, n) => paymentAt(seed, n));
    expect(some(1)).toEqual(some(1));
    expect(some(1)).not.toEqual(some(2));
    expect(generatedPayments({ seed: 1, payments: 1 }).bounded).toBe(true);
  });

  it('have cards that pay often and others that do not, and some money that is given back', () => {
    const some = Array.from({ length: 50_000 }, (_, n) => paymentAt(3, n));
    const perCard = new Map<string, number>();
    for (const { card } of some) perCard.set(card, (perCard.get(card) ?? 0) + 1);
    const counts = [...perCard.values()].sort((a, b) => b - a);
    expect(perCard.size).toBe(500);
    expect(counts[0]).toBeGreaterThan(5 * (counts.at(-1) as number));
    const refunds = some.filter(({ cents }) => cents < 0).length;
    expect(refunds / some.length).toBeGreaterThan(0.03);
    expect(refunds / some.length).toBeLessThan(0.05);
  });
});
