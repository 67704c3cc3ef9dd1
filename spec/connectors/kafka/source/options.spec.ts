import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { string } from '../../../../connectors/kafka/format/string.ts';
import { type KafkaSourceOptions, kafkaSourceSettings } from '../../../../connectors/kafka/source/options.ts';
import { kafkaSource } from '../../../../connectors/kafka/source/source.ts';
import { SettingsError } from '../../../../lib/index.ts';

const brokers = '127.0.0.1:9092';
const given = { brokers, topic: 'payments', value: string() };

/** Every problem of the options. */
function problems(options: object): readonly string[] {
  try {
    kafkaSourceSettings({ ...given, ...options } as KafkaSourceOptions<string>);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

let environment: string | undefined;
beforeEach(() => {
  environment = process.env.KAFKA_BROKERS;
  delete process.env.KAFKA_BROKERS;
});
afterEach(() => {
  if (environment !== undefined) process.env.KAFKA_BROKERS = environment;
});

describe('the options of a Kafka source', () => {
  it('have these defaults', () => {
    const { value, connection, ...settings } = kafkaSourceSettings(given);
    expect(connection).toEqual({ brokers });
    expect(settings).toEqual({
      location: 'kafka://127.0.0.1:9092',
      topics: ['payments'],
      name: 'kafka:payments',
      group: undefined,
      start: 'group-offsets',
      withoutGroupOffset: 'earliest',
      stop: undefined,
      discovery: 60_000,
      timestamp: undefined,
      onBadRecord: 'fail',
      onMissingOffset: 'fail',
      isolation: 'read_committed',
      commitOffsets: true,
      autoCommitInterval: 5_000,
      partitionOf: 'key',
      retryTimeoutMs: 120_000,
      maxWaitMs: 500,
      minBytes: 1,
      requestBytes: 8_388_608,
      partitionBytes: 1_048_576,
      bufferBytes: 33_554_432,
    });
  });

  it('name the source after its topics or its pattern', () => {
    const nameOf = (topic: KafkaSourceOptions<string>['topic']) => kafkaSource({ ...given, topic }).name;
    expect([nameOf('payments'), nameOf(['payments', 'refunds']), nameOf(/^pay/)]).toEqual([
      'kafka:payments',
      'kafka:payments,refunds',
      'kafka:/^pay/',
    ]);
    expect(kafkaSource({ ...given, name: 'in' }).name).toBe('in');
  });

  it('make the source bounded with a stop position, and then it looks for no partitions', () => {
    expect(kafkaSource(given).bounded).toBe(false);
    expect(kafkaSource({ ...given, stop: 'latest' }).bounded).toBe(true);
    expect(kafkaSourceSettings({ ...given, stop: 'latest', discovery: '1s' }).discovery).toBe('off');
  });

  it('accept every start and stop position', () => {
    for (const start of [
      'earliest',
      { timestamp: 0 },
      { timestamp: new Date(0) },
      { offsets: { payments: { 0: 4 } } },
    ]) {
      expect(problems({ start })).toEqual([]);
    }
    for (const stop of ['latest', { timestamp: 0 }, { offsets: { payments: { 0: 4 } } }])
      expect(problems({ stop })).toEqual([]);
  });

  it('are refused with every problem named at once, those of the connection included', () => {
    const found = problems({
      brokers: 'nowhere',
      topic: ['pay ments', 'refunds'],
      value: 4,
      start: 'beginning',
      discovery: 'never',
      onBadRecord: 'ignore',
      minBytes: 0,
      grup: 'g',
    });
    const wanted = ['brokers', 'topic', 'value', 'start', 'discovery', 'onBadRecord', 'minBytes', 'grup'];
    for (const field of wanted)
      expect(
        found.filter(text => text.startsWith(field) || text.includes(`"${field}"`)),
        field,
      ).toHaveLength(1);
    expect(found).toHaveLength(wanted.length);
    expect(found.find(text => text.includes('grup'))).toContain('did you mean "group"');
  });

  it.each<[string, object]>([
    ['topic', { topic: [] }],
    ['topic', { topic: ['payments', 'payments'] }],
    ['topic', { topic: '..' }],
    ['start.offsets', { start: { offsets: { refunds: { 0: 1 } } } }],
    ['stop.offsets', { stop: { offsets: { refunds: { 0: 1 } } } }],
    ['start', { start: { offsets: { payments: { x: 1 } } } }],
    ['start', { start: { timestamp: 'today' } }],
    ['stop', { stop: 'earliest' }],
    ['maxRequestBytes', { maxRequestBytes: 2_000 }],
    ['maxBufferedBytes', { maxBufferedBytes: 2_000 }],
    ['onBadRecord.deadLetter', { onBadRecord: { deadLetter: 'payments' } }],
    ['onBadRecord.deadLetter', { topic: /pay/, onBadRecord: { deadLetter: 'bad-payments' } }],
    ['timestamp', { timestamp: 'value' }],
    ['name', { topic: ['a'.repeat(200), 'b'.repeat(200)] }],
  ])('are refused with a problem of %s: %o', (field, options) => {
    const found = problems(options);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${field.replace('.', '\\.')}[:.]`));
  });

  it('never show a password', () => {
    const password = 'hunter2-secret';
    const text = problems({ sasl: { mechanism: 'plain', username: 7, password }, start: 'x' }).join('\n');
    expect(text).not.toContain(password);
  });
});
