import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type KafkaServer, startKafka } from '../../../tools/services/kafka/kafka.ts';
import { startTwoBrokers } from '../../services/kafka/harness/two-brokers.ts';
import { type Place, placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { LedgerPlace } from './harness/ledger-place.ts';

const long = 180_000;

let kafka: KafkaServer | undefined;
afterEach(async () => {
  await kafka?.stop();
  kafka = undefined;
}, 60_000);

/** Starts the broker, or brings it back. */
async function start({ folder }: Place, before?: KafkaServer): Promise<KafkaServer> {
  kafka = await startKafka({
    dir: path.join(folder, 'kafka'),
    ...(before ? { port: before.port, controllerPort: before.controllerPort } : {}),
    settings: { 'broker.session.timeout.ms': '1000', 'broker.heartbeat.interval.ms': '200' },
  });
  return kafka;
}

describe('a broker that is gone for a while', () => {
  it.each([
    ['stopped in order', 'stop'],
    ['killed', 'kill'],
  ] as const)('%s, twice, within transactions: nothing is lost or doubled', { timeout: long }, async (_, end) => {
    const random = randomFrom(printedSeed(`a broker that is met by ${end}`));
    const place = await placeFor('redis');
    let broker = await start(place);
    const ledger = await LedgerPlace.prepare({ brokers: broker.brokers, redis: place.store }, random, 20_000);
    const reader = ledger.follow();
    const command = ledger.run({ rate: 2_000, set: ['isBounded=false'] });
    let committed = 0;
    for (let i = 0; i < 2; i++) {
      committed = command.output.split(' committed: ').length;
      await command.says(' committed: ', committed + 1);
      // Somewhere in the next transaction.
      await passes(random() * 400);
      expect(command.isOver, command.output).toBe(false);
      await broker[end]();
      await passes(random() * 1_000);
      broker = await start(place, broker);
    }
    await command.says(' committed: ', committed + 2);
    command.kill('SIGTERM');
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    await ledger.finish();
    expect(reader.problems).toEqual([]);
  });
});

describe('two brokers', () => {
  it('lose and double nothing while the leaders of input and output move between them', { timeout: long }, async () => {
    const random = randomFrom(printedSeed('leaders that move'));
    const { store } = await placeFor('redis');
    await using cluster = await startTwoBrokers();
    const places = { brokers: cluster.brokers, redis: store };
    const ledger = await LedgerPlace.prepare(
      places,
      random,
      20_000,
      (topic, partitions) => cluster.newTopic(topic, partitions, 1),
      2_000,
    );
    const reader = ledger.follow();
    const command = ledger.run({ rate: 2_500, set: ['isBounded=false'] });
    await command.says(' committed: ');
    for (const to of [2, 1, 2]) {
      // More than it reads while they move.
      await ledger.load(6_000);
      await cluster.move(ledger.output, [0, 1, 2, 3], to);
      await cluster.move(ledger.input, [0, 2], to);
      await passes(random() * 300);
      await cluster.move(ledger.input, [1, 3], to);
    }
    command.kill('SIGTERM');
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    expect(command.output, 'it followed them').not.toContain('restarts from its last checkpoint');
    await ledger.finish();
    expect(reader.problems).toEqual([]);
  });
});
