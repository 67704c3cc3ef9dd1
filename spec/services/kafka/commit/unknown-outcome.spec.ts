import { describe, expect, it, vi } from 'vitest';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { committed, TotalsPlace } from './totals-place.ts';

describe('a commit whose answer does not come', () => {
  it.each([
    ['that Kafka never got', 'lose request'],
    ['that Kafka has carried out', 'lose answer'],
  ] as const)('%s: the task restarts and goes on from what the record names', async (_, fate) => {
    await using place = await TotalsPlace.with(4_000);
    await using proxy = await TcpProxy.to(place.brokers);
    const process = place.start({ brokers: proxy.brokers, rate: 4_000 });
    const last = await committed(process, id => id >= 2);
    let lost = 0;
    proxy.fate = api => {
      if (api !== 'EndTxn') return 'pass';
      lost++;
      return fate;
    };
    await vi.waitUntil(() => process.handle.status.attempt > 1, { timeout: 30_000, interval: 5 });
    // What Kafka has carried out counts, and nothing else.
    const { offset } = fate === 'lose request' ? await place.recordNow() : await place.record();
    if (fate === 'lose request') expect(offset).toBe(await place.newest());
    else expect(offset).toBeGreaterThan(last);
    proxy.fate = () => 'pass';
    expect(await process.handle.done).toBe('finished');
    expect(lost).toBeGreaterThan(0);
    expect(await place.visible()).toEqual(place.expected());
  });

  it('once: it is asked again, and nobody restarts', async () => {
    await using place = await TotalsPlace.with(2_000);
    await using proxy = await TcpProxy.to(place.brokers);
    const settings = { checkpoint: { commitTimeout: '30s' } } as const;
    const process = place.start({ brokers: proxy.brokers, rate: 500, settings });
    await committed(process, id => id >= 2);
    await proxy.next('EndTxn', 'lose answer');
    await committed(process);
    await proxy.next('EndTxn', 'lose request');
    await committed(process);
    expect(await process.handle.done).toBe('finished');
    expect(process.handle.status.attempt).toBe(1);
    expect(await place.visible()).toEqual(place.expected());
  });
});

it('a transaction gets a checkpoint before it is too old, also where none are taken by the clock', async () => {
  await using place = await TotalsPlace.with(200);
  const process = place.start({
    isBounded: false,
    sink: { transactionTimeout: '10s' },
    settings: { checkpoint: { interval: 'off', timeout: '7s' } },
  });
  await committed(process, id => id >= 2);
  expect(process.handle.status.attempt).toBe(1);
  expect(await place.visible()).toEqual(place.expected());
});

it('a transaction that Kafka ends because it is too old is none: the task restarts before that, from its last checkpoint', async () => {
  await using place = await TotalsPlace.with(1_000);
  const process = place.start({
    rate: 1_000,
    sink: { transactionTimeout: '3s' },
    settings: { checkpoint: { interval: 100, timeout: '2s', tolerableFailures: 0 } },
  });
  await committed(process, id => id >= 2);
  process.store.plan('prepare', 'never answers');
  await vi.waitUntil(() => process.handle.status.attempt > 1, { timeout: 30_000, interval: 5 });
  expect(await process.handle.done).toBe('finished');
  expect(await place.visible()).toEqual(place.expected());
});
