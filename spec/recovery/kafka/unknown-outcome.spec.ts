import { describe, expect, it, vi } from 'vitest';
import { type Fate, TcpProxy } from '../../services/kafka/harness/tcp-proxy.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

const long = 120_000;

/** A ledger whose processes go through a proxy, and whose n-th checkpoint can be the one whose end gets lost. */
async function behindProxy(what: string) {
  const random = randomFrom(printedSeed(what));
  const { store } = await placeFor('redis');
  const brokers = process.env.KAFKA_BROKERS ?? '';
  const place = await LedgerPlace.prepare({ brokers, redis: store }, random, 20_000);
  return { place, proxy: await TcpProxy.to(brokers) };
}

/** From now on this is the fate of every EndTxn; resolves at the first one. */
function losesEnds(proxy: TcpProxy, fate: Fate): Promise<void> {
  const first = Promise.withResolvers<void>();
  proxy.fate = api => {
    if (api !== 'EndTxn') return 'pass';
    first.resolve();
    return fate;
  };
  return first.promise;
}

describe.each([
  ['the request is lost', 'request', ['lose request', 'swallow request']],
  ['the answer is lost', 'answer', ['lose answer', 'swallow answer']],
] as const)('when a transaction is to end and %s', (_, lost, fates) => {
  it.each(fates)(
    '("%s") and the process is killed at that moment, the commit record decides',
    { timeout: long },
    async fate => {
      const { place, proxy } = await behindProxy(`killed while EndTxn meets "${fate}"`);
      await using _proxy = proxy;
      const reader = place.follow();
      const command = place.run({ rate: 1_500, brokers: proxy.brokers });
      await command.says(' committed: ', 2);
      await losesEnds(proxy, fate);
      // What Kafka was asked for it does, whether or not anybody hears of it.
      if (lost === 'answer') {
        // Against what the store knows: the record of the checkpoint before may have come late, too.
        const noted = (await place.confirmed())?.id ?? 0;
        await vi.waitUntil(async () => (await place.record()) > noted, 10_000);
      }
      await command.killed();
      const decided = await place.record();
      const noted = (await place.confirmed())?.id;
      expect(decided).toBe(lost === 'answer' ? (noted ?? 0) + 1 : noted);

      const next = await place.finish();
      expect(next.output).toContain(`running from checkpoint #${decided},`);
      expect(reader.problems).toEqual([]);
    },
  );

  it.each(fates)('("%s") the task restarts by itself from what the record names', { timeout: long }, async fate => {
    const { place, proxy } = await behindProxy(`alive while EndTxn meets "${fate}"`);
    await using _proxy = proxy;
    const reader = place.follow();
    // Time to look before it has.
    const settings = { restart: { strategy: 'fixed-delay', attempts: 20, delay: '5s' } };
    const command = place.run({ rate: 4_000, brokers: proxy.brokers, checkpoint: { commitTimeout: '2s' }, settings });
    await command.says(' committed: ', 2);
    await losesEnds(proxy, fate);
    await command.says('restarts from its last checkpoint');
    const decided = await place.record();
    const noted = (await place.confirmed())?.id;
    expect(decided).toBe(lost === 'answer' ? (noted ?? 0) + 1 : noted);
    proxy.fate = () => 'pass';

    await command.says(`running from checkpoint #${decided},`);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    await place.verify();
    expect(reader.problems).toEqual([]);
  });
});
