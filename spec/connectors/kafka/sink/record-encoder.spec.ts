import { describe, expect, it } from 'vitest';
import { json, string } from '../../../../connectors/kafka/index.ts';
import { keyPartition } from '../../../../connectors/kafka/partition/key-partition.ts';
import { StickyPartition } from '../../../../connectors/kafka/partition/sticky-partition.ts';
import { type KafkaSinkOptions, kafkaSinkSettings } from '../../../../connectors/kafka/sink/options.ts';
import { keyText, RecordEncoder } from '../../../../connectors/kafka/sink/record-encoder.ts';
import { SettingsError, UserCodeError } from '../../../../lib/index.ts';

interface Sale {
  readonly shop: string;
  readonly cents: number;
}

const brokers = '127.0.0.1:9092';
const route = (partitions = 4, maxBytes?: number) => ({
  topic: 'sales',
  partitions,
  maxBytes,
  sticky: new StickyPartition(50, 0),
});
const encoder = (options: Partial<KafkaSinkOptions<Sale>> = {}) =>
  new RecordEncoder<Sale>(
    kafkaSinkSettings<Sale>({ brokers, topic: 'sales', value: json<Sale>(), ...options }),
    () => 999,
  );
const sale: Sale = { shop: 'oslo', cents: 7 };

describe('a record', () => {
  it('has the key of the stream, its event time, and the partition of the key', () => {
    expect(encoder().encode(route(), sale, 123.9, 'oslo')).toEqual({
      topic: 'sales',
      partition: keyPartition('oslo', 4),
      timestamp: 123,
      key: 'oslo',
      value: '{"shop":"oslo","cents":7}',
      headers: [],
    });
  });

  it('has the time of now where there is no event time, and fills partitions in turn where there is no key', () => {
    const to = route(3);
    const records = Array.from({ length: 6 }, () => encoder().encode(to, sale, Number.NaN, undefined));
    expect(records.map(({ partition }) => partition)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(records[0]).toMatchObject({ timestamp: 999, key: null });
  });

  it('has what functions of the options make of it', () => {
    const made = encoder({
      topic: ({ shop }) => `sales-${shop}`,
      name: 'sales',
      key: ({ shop }, key) => `${shop}/${String(key)}`,
      headers: () => ({ kind: 'sale', trace: Buffer.from([1]), none: null }),
      timestamp: ({ cents }, eventTime) => eventTime + cents,
      partitioner: (_, { key, partitions }) => (key?.length ?? 0) % partitions,
    });
    expect(made.topicOf(sale)).toBe('sales-oslo');
    expect(made.encode(route(), sale, 100, 5)).toMatchObject({
      partition: 'oslo/5'.length % 4,
      timestamp: 107,
      key: 'oslo/5',
      headers: [
        ['kind', Buffer.from('sale')],
        ['trace', Buffer.from([1])],
        ['none', null],
      ],
    });
  });

  it('has whole milliseconds as its time, and none that is no number', () => {
    const at = (time: unknown) => encoder({ timestamp: () => time as number }).encode(route(), sale, 0, 'oslo');
    expect(at(1_700_000_000_123.75).timestamp).toBe(1_700_000_000_123);
    // As 1970 it would be gone with the next clean-up of the topic, and the batch around it could not be read.
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, undefined, new Date(0), '5']) {
      expect(() => at(wrong)).toThrow(UserCodeError);
    }
    expect(() => at(Number.NaN)).toThrow(
      /"timestamp" of the sink "kafka:sales" answered NaN.* milliseconds since 1970/,
    );
  });

  it('that is larger than its topic takes is refused by name, unless it is packed', () => {
    const large = { shop: 'x'.repeat(2_000), cents: 1 };
    const to = route(1, 1_000);
    expect(() => encoder().encode(to, large, 0, 'oslo')).toThrow(
      /key "oslo" for the topic "sales" takes 2\d\d\d bytes.*is 1000/,
    );
    expect(encoder({ compression: 'gzip' }).encode(to, large, 0, 'oslo').topic).toBe('sales');
    expect(encoder().encode(to, sale, 0, 'oslo').topic).toBe('sales');
  });

  it('has keys of any kind as texts', () => {
    expect([undefined, 'a', 1, 2n, true, ['a', 1, 2n]].map(key => keyText(key as never))).toEqual([
      null,
      'a',
      '1',
      '2',
      'true',
      '["a",1,"2"]',
    ]);
  });
});

describe('the options of a sink', () => {
  const problems = (options: object): readonly string[] => {
    try {
      kafkaSinkSettings({ brokers, topic: 'sales', value: string(), ...options } as never);
    } catch (error) {
      return (error as SettingsError).problems;
    }
    return [];
  };

  it('have defaults', () => {
    const settings = kafkaSinkSettings({ brokers, topic: 'sales', value: string() });
    expect(settings).toMatchObject({ name: 'kafka:sales', guarantee: 'exactly-once', missingTopics: {} });
    expect(settings.producer).toMatchObject({
      acks: 'all',
      compression: 'none',
      lingerMs: 5,
      deliveryTimeoutMs: 120_000,
    });
    expect(settings.transactionTimeoutMs).toBeUndefined();
  });

  it.each([
    [{ topic: 'a b' }, /^topic: "a b"/],
    [{ topic: () => 'a' }, /^name: needed when topic is a function/],
    [{ guarantee: 'twice' }, /^guarantee: /],
    [{ guarantee: 'at-least-once', acks: 'leader' }, /^acks: "leader" was given, but at-least-once needs "all"/],
    [{ guarantee: 'none', transactionTimeout: '1m' }, /^transactionTimeout: there is no transaction/],
    [{ value: {} }, /^value: /],
    [{ missingTopics: { partitions: 0 } }, /partitions/],
    [{ maxInFlight: 6 }, /^maxInFlight: .*1 to 5/],
    [{ lingr: 5 }, /did you mean "linger"/],
    [{ brokers: 'nowhere' }, /^brokers/],
  ])('are refused with what is wrong: %j', (options, problem) => {
    expect(problems(options).join('\n')).toMatch(problem);
  });

  it('are refused with all problems at once', () => {
    expect(problems({ topic: '', brokers: 'x', guarantee: 'y' }).length).toBeGreaterThanOrEqual(3);
    expect(() => kafkaSinkSettings({ brokers: '', topic: '' } as never)).toThrow(SettingsError);
  });
});
