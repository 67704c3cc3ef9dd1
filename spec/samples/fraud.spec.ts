import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check, memoryStore, type SnapshotStore, start } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';
import { keyBy, side } from '../../operators/index.ts';
import { lineMaker, timeOfLine } from '../../samples/fraud/generated-lines.ts';
import fraud from '../../samples/fraud/job.ts';
import { type CardRecord, parseRecord } from '../../samples/fraud/records.ts';
import { type Expected, expectedOf } from '../../samples/fraud/reference.ts';
import { alerts, fraudRules } from '../../samples/fraud/rules.ts';
import { generatedSource } from '../../samples/generated-source.ts';
import { sourceContract } from '../contract/source.contract.ts';
import { quiet } from '../job/quiet.ts';

let out: string;
let store: SnapshotStore;

beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'tidemark-fraud-'));
  store = memoryStore();
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const run = (params: Readonly<Record<string, string>>) =>
  start(fraud, {
    params: { out, ...params },
    store,
    logger: quiet,
    checkpoint: { interval: '20ms', onCancel: 'keep' },
  });

function found(): Expected {
  const lines = (name: string) =>
    readFileSync(path.join(out, `${name}.jsonl`), 'utf8')
      .split('\n')
      .slice(0, -1);
  return { accepted: lines('accepted'), alerts: lines('alerts').sort(), broken: lines('broken') };
}

function golden(...of: Parameters<typeof expectedOf>): Expected {
  const expected = expectedOf(...of);
  return { ...expected, alerts: [...expected.alerts].sort() };
}

describe('the sample fraud', () => {
  it('writes what plain loops give', async () => {
    await run({ lines: '12000', seed: '7' }).done;
    expect(found()).toEqual(golden(7, 12_000));
    for (const rule of ['many', 'probed', 'unconfirmed']) {
      expect(found().alerts.filter(alert => alert.includes(`"${rule}"`)).length).toBeGreaterThan(10);
    }
    expect(new Set(found().broken.map(line => JSON.parse(line).error)).size).toBe(4);
  });

  it('takes the limit of payments as a parameter', async () => {
    await run({ lines: '4000', maxPerMinute: '2' }).done;
    expect(found()).toEqual(golden(1, 4_000, 2));
  });

  it('writes the same when it is killed again and again, and started again', { timeout: 60_000 }, async () => {
    for (let kill = 0; kill < 6; kill++) {
      const handle = run({ lines: '8000', rate: '5000' });
      await firstValueFrom(handle.checkpoints$.pipe(filter(({ outcome }) => outcome === 'committed')));
      await handle.cancel();
    }
    expect(found().accepted.length).toBeLessThan(golden(1, 8_000).accepted.length);
    await run({ lines: '8000' }).done;
    expect(found()).toEqual(golden(1, 8_000));
  });

  it('is checked without being run, and refuses parameters that it does not know', async () => {
    await check(fraud, { params: { out } });
    expect(existsSync(path.join(out, 'accepted.jsonl'))).toBe(false);
    expect(() => check(fraud, { params: { max: '3' } })).toThrow(/"max"/);
    expect(() => check(fraud, { params: { maxPerMinute: '0' } })).toThrow(/maxPerMinute/);
  });
});

describe('the rules of the sample fraud', () => {
  const payment = (id: number, cents: number, at: number): CardRecord => ({
    kind: 'payment',
    id,
    card: 'c',
    cents,
    at,
  });
  const confirmation = (id: number, at: number): CardRecord => ({ kind: 'confirmation', id, card: 'c', at });
  const rules = (stream: MarbleInput) => {
    const accepted = stream.pipe(
      keyBy((record: CardRecord) => record.card),
      fraudRules({ maxPerMinute: 2 }),
    );
    return { accepted, alerts: accepted.pipe(side(alerts)) };
  };
  const alert = (rule: string, id: number) => expect.objectContaining({ rule, id, card: 'c' });

  it('raise an alert for a large payment less than a minute after a small one, through a crash', () => {
    marbles(({ job, expectElements, record }) => {
      const values = {
        s: record(payment(1, 50, 1_000), 1_000),
        l: record(payment(2, 50_000, 60_999), 60_999),
        m: record(payment(3, 50_000, 61_000), 61_000),
      };
      const input = '   -s-B-X-l-m-|';
      const accepted = '-s-B-----m-|';
      const raised = '  ---B---a---|';
      const run = job(input, rules, { values });
      expectElements(run, 'accepted').toBe(accepted, { s: payment(1, 50, 1_000), m: payment(3, 50_000, 61_000) });
      expectElements(run, 'alerts').toBe(raised, { a: alert('probed', 2) });
    });
  });

  it('raise one for each payment above the limit, and none once a minute is over', () => {
    marbles(({ job, expectElements, record }) => {
      const at = (id: number, time: number) => record(payment(id, 1_000, time), time);
      const values = { 1: at(1, 0), 2: at(2, 10), 3: at(3, 59_999), 4: at(4, 60_010), 5: at(5, 60_011) };
      const input = ' -1-2-3-4-5-|';
      const raised = '-----a---b-|';
      const run = job(input, rules, { values });
      expectElements(run, 'alerts').toBe(raised, { a: alert('many', 3), b: alert('many', 5) });
    });
  });

  it('raise one when a minute has passed without a confirmation, also behind a crash', () => {
    marbles(({ job, expectElements, record, watermark }) => {
      const values = {
        p: record(payment(1, 100_001, 0), 0),
        q: record(payment(2, 100_001, 1), 1),
        d: record(confirmation(1, 60_000), 60_000),
        e: record(confirmation(2, 60_002), 60_002),
        V: watermark(60_000),
        W: watermark(60_002),
      };
      const input = ' -p-q-B-X-V-d-e-W---|';
      const raised = '-----B---V-----(aW)|';
      const run = job(input, rules, { values });
      expectElements(run, 'alerts').toBe(raised, { ...values, a: alert('unconfirmed', 2) });
    });
  });

  it('forget a card a minute after its last payment', async () => {
    const states: Promise<unknown>[] = [];
    marbles(({ job, record, watermark, scheduler }) => {
      const values = { p: record(payment(1, 50, 0), 0), V: watermark(60_000), W: watermark(60_001) };
      const run = job('-p-V-W-----|', rules, { values });
      for (const frame of [4, 6]) {
        scheduler.schedule(() => states.push(run.handle?.ask('rules', 'c') as Promise<unknown>), frame);
      }
    });
    expect(await Promise.all(states)).toEqual([{ payments: [0], smallAt: 0, unconfirmed: [] }, undefined]);
  });
});

describe('a line of the sample fraud', () => {
  it.each([
    ['{"kind":"payment"', 'it is no JSON'],
    ['null', 'it is no object'],
    ['{"kind":"payment","card":"c","cents":1,"at":1}', 'it has no id'],
    ['{"kind":"payment","id":1,"card":"","cents":1,"at":1}', 'it names no card'],
    ['{"kind":"payment","id":1,"card":"c","cents":1}', 'it has no time'],
    ['{"kind":"refund","id":1,"card":"c","cents":1,"at":1}', 'it is neither a payment nor a confirmation'],
    ['{"kind":"payment","id":1,"card":"c","cents":1.5,"at":1}', 'it has no amount in whole cents'],
  ])('%s is refused: %s', (line, reason) => {
    expect(() => parseRecord(line)).toThrow(reason);
  });
});

sourceContract('the source of the sample fraud', () => {
  const at = lineMaker(3);
  return {
    source: () =>
      generatedSource({
        name: 'lines',
        count: 1_200,
        fixedBy: { seed: 3 },
        at,
        timeOf: (_, n) => timeOfLine(n),
        watermarkAt: timeOfLine,
      }),
    expected: Array.from({ length: 1_200 }, (_, n) => at(n)),
  };
});
