import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Deserializer } from '../../../../connectors/kafka/format/deserializer.ts';
import { kafkaSourceWith } from '../../../../connectors/kafka/source/source.ts';
import { SourceProbe } from '../../../contract/source-probe.ts';
import { FakeKafka } from './fake-kafka.ts';

const unreadable: Deserializer<string> = {
  deserialize() {
    throw new Error('not what it should be');
  },
};

/** Dead letters that take 1,500 records, and more when there is room again. */
class Letters {
  given = 0;
  limit = 1_500;
  #tell: (() => void) | undefined;

  get isFull(): boolean {
    return this.given >= this.limit;
  }

  give(): void {
    this.given++;
  }

  whenRoom(tell: () => void): void {
    this.#tell = tell;
  }

  takeMore(): void {
    this.limit = Number.POSITIVE_INFINITY;
    this.#tell?.();
  }
}

async function opened() {
  const kafka = new FakeKafka();
  const [log] = kafka.topic('payments');
  for (let batch = 0; batch < 50; batch++) log?.append(Array<string>(100).fill('x'));
  const letters = new Letters();
  const services = { ...kafka.services(), deadLetters: () => letters };
  const options = { brokers: 'fake:9092', topic: 'payments', value: unreadable, start: 'earliest' } as const;
  const probe = await SourceProbe.open(
    kafkaSourceWith(services, { ...options, onBadRecord: { deadLetter: 'letters' } }),
  );
  return { probe, letters };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

it('a source whose every record is poison waits while its dead letters are not taken, and goes on where it was', async () => {
  const { probe, letters } = await opened();
  probe.start();
  await settled();
  // What one round of reading gives beyond the limit.
  expect(letters.given).toBeLessThanOrEqual(1_500 + 1_000);
  letters.takeMore();
  await settled();
  expect(letters.given).toBe(5_000);
  await probe.close();
});

it('a source that waits for its dead letters ends with its task', async () => {
  const { probe } = await opened();
  probe.start();
  await settled();
  await probe.close();
  expect([probe.errors, probe.violations]).toEqual([[], []]);
});
