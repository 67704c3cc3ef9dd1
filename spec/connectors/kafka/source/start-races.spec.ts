import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { KafkaClient, KafkaNode } from '../../../../connectors/kafka/client/port.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import { kafkaSourceWith } from '../../../../connectors/kafka/source/source.ts';
import type { Json } from '../../../../lib/index.ts';
import { SourceProbe } from '../../../contract/source-probe.ts';
import { FakeKafka } from './fake-kafka.ts';

const text = { deserialize: (bytes: Buffer | null) => (bytes === null ? null : `${bytes}`) };
const settled = async () => {
  for (let i = 0; i < 40; i++) await turn();
};

/** A source of `payments` whose client does some things otherwise. */
function sourceOf(
  kafka: FakeKafka,
  options: Partial<KafkaSourceOptions<string>>,
  otherwise: Partial<KafkaClient> = {},
) {
  const services = { ...kafka.services(), client: () => ({ ...kafka.client(), ...otherwise }) as KafkaClient };
  return kafkaSourceWith<string>(services, { brokers: 'fake:9092', topic: 'payments', value: text, ...options });
}

/** Writes a record right behind the answer to a question for a time. */
function writesAfterTimes(kafka: FakeKafka, write: () => void): Partial<KafkaClient> {
  const node = kafka.node(1);
  const asked: KafkaNode = {
    ...node,
    async listOffsets(queries, isolation) {
      const answer = await node.listOffsets(queries, isolation);
      if (queries.some(({ at }) => typeof at === 'number')) write();
      return answer;
    },
  };
  return { leader: async () => asked };
}

describe('a record that comes while a source asks where a time is', () => {
  it('is read by one that starts at an earlier time', async () => {
    const kafka = new FakeKafka();
    const [log] = kafka.topic('payments');
    log?.append(['old'], { timestamp: 1_000 });
    const otherwise = writesAfterTimes(kafka, () => void log?.append(['wanted'], { timestamp: 6_000 }));
    const probe = (await SourceProbe.open(sourceOf(kafka, { start: { timestamp: 5_000 } }, otherwise))).start();
    await probe.untilRecords(1);
    expect(probe.values).toEqual(['wanted']);
    await probe.close();
  });

  it('is not read by one that stops at an earlier time', async () => {
    const kafka = new FakeKafka();
    const [log] = kafka.topic('payments');
    log?.append(['old'], { timestamp: 1_000 });
    const otherwise = writesAfterTimes(kafka, () => void log?.append(['too late'], { timestamp: 6_000 }));
    const options = { start: 'earliest', stop: { timestamp: 5_000 } } as const;
    const probe = (await SourceProbe.open(sourceOf(kafka, options, otherwise))).start();
    await settled();
    expect(probe).toMatchObject({ values: ['old'], completions: 1 });
    await probe.close();
  });
});

describe('a topic that the cluster does not name at the first look', () => {
  const blinking = (kafka: FakeKafka): Partial<KafkaClient> => {
    const client = kafka.client();
    let looks = 0;
    return { topics: async names => (looks++ === 0 ? [] : client.topics(names)) };
  };
  /** Its second look is after a second of the task's clock. */
  const opened = (source: ReturnType<typeof sourceOf>, position?: Json) =>
    SourceProbe.open(source, position, probe => void settled().then(() => probe.scheduler.advance(1_000)));

  it('is read all the same when it was named', async () => {
    const kafka = new FakeKafka();
    const [log] = kafka.topic('payments');
    log?.append(['a']);
    const probe = (await opened(sourceOf(kafka, { start: 'earliest' }, blinking(kafka)))).start();
    await probe.untilRecords(1);
    expect(probe.values).toEqual(['a']);
    await probe.close();
  });

  it('keeps its position when it matches a pattern', async () => {
    const kafka = new FakeKafka();
    const [log] = kafka.topic('payments');
    log?.append(['a', 'b', 'c']);
    const options = { topic: /^pay/, start: 'earliest', discovery: 1_000 } as const;
    const before = (await SourceProbe.open(sourceOf(kafka, options))).start();
    await before.untilRecords(3);
    const position = before.position();
    await before.close();
    const probe = (await opened(sourceOf(kafka, options, blinking(kafka)), position)).start();
    log?.append(['d']);
    kafka.changed();
    await probe.untilRecords(1);
    expect(probe.values).toEqual(['d']);
    await probe.close();
  });
});
