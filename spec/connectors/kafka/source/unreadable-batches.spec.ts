import { expect, it } from 'vitest';
import { CorruptRecordsError } from '../../../../connectors/kafka/errors.ts';
import type { KafkaSourceOptions } from '../../../../connectors/kafka/source/options.ts';
import { kafkaSourceWith } from '../../../../connectors/kafka/source/source.ts';
import { JobDefinitionError } from '../../../../lib/index.ts';
import { SourceProbe } from '../../../contract/source-probe.ts';
import { FakeKafka } from './fake-kafka.ts';

const text = { deserialize: (bytes: Buffer | null) => (bytes === null ? null : `${bytes}`) };

/** A source of a topic whose records come spoiled from the broker. */
async function spoiled(spoil: (records: Buffer) => void, options: Partial<KafkaSourceOptions<string>> = {}) {
  const kafka = new FakeKafka();
  const [, log] = kafka.topic('payments', 2);
  log?.append(['a']);
  kafka.onFetch = (request, node) =>
    kafka.answers(request, node).map(answer => {
      const records = Buffer.from(answer.records);
      if (records.length > 0) spoil(records);
      return { ...answer, records };
    });
  const all = { brokers: 'fake:9092', topic: 'payments', value: text, start: 'earliest', ...options } as const;
  return { kafka, probe: (await SourceProbe.open(kafkaSourceWith<string>(kafka.services(), all))).start() };
}

// Asked for again, they would come again: for ever, at full speed, and without a word.
it.each([
  ['a length that is too small', (records: Buffer) => void records.writeInt32BE(7, 8)],
  ['a length beyond what came', (records: Buffer) => void records.writeInt32BE(0x7fffffff, 8)],
  ['a last offset before its first', (records: Buffer) => void records.writeInt32BE(-5, 23)],
  [
    'an old format',
    (records: Buffer) => {
      records[16] = 1;
      records.writeInt32BE(20, 8);
    },
  ],
  [
    'a bit that is turned over',
    (records: Buffer) => {
      const last = records.length - 1;
      records[last] = (records[last] ?? 0) ^ 1;
    },
  ],
])('a first batch with %s is refused, with the name of its partition', async (_, spoil) => {
  const { kafka, probe } = await spoiled(spoil);
  const error = await probe.untilError();
  expect(error).toBeInstanceOf(CorruptRecordsError);
  expect(error).toMatchObject({
    message: expect.stringContaining('payments-1'),
    context: { topic: 'payments', partition: 1 },
  });
  expect(kafka.fetches.length).toBeLessThan(5);
  await probe.close();
});

it('a function for the time that answers a promise is an error of the job, not of each record', async () => {
  const timestamp = (async () => 5) as unknown as (value: string) => number;
  const { probe } = await spoiled(() => {}, { timestamp, onBadRecord: 'skip' });
  expect(await probe.untilError()).toBeInstanceOf(JobDefinitionError);
  await probe.close();
});
