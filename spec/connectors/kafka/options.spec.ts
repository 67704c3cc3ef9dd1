import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type KafkaConnectionOptions, kafkaConnectionSettings } from '../../../connectors/kafka/options.ts';
import { SettingsError } from '../../../lib/errors.ts';

const problemsOf = (options: unknown): readonly string[] => {
  try {
    kafkaConnectionSettings(options as KafkaConnectionOptions, {});
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

describe('the options of a Kafka connection', () => {
  it('have defaults for everything but the brokers', () => {
    expect(kafkaConnectionSettings({ brokers: 'localhost:9092' }, {})).toEqual({
      brokers: [{ host: 'localhost', port: 9092 }],
      location: 'kafka://localhost:9092',
      clientId: 'tidemark',
      ssl: undefined,
      sasl: undefined,
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
    });
  });

  it.each([
    ['a:1,b:2', 'kafka://a:1,b:2'],
    [['a:1', '[::1]:2'], 'kafka://a:1,[::1]:2'],
    [' a:1 , b:2 ', 'kafka://a:1,b:2'],
  ])('read the brokers %j', (brokers, location) => {
    expect(kafkaConnectionSettings({ brokers }, {}).location).toBe(location);
  });

  it('take the brokers of the environment when none are given', () => {
    const env = { KAFKA_BROKERS: 'a:1, b:2' };
    expect(kafkaConnectionSettings({}, env).location).toBe('kafka://a:1,b:2');
    expect(kafkaConnectionSettings({ brokers: 'c:3' }, env).location).toBe('kafka://c:3');
    expect(problemsOf({})).toEqual([expect.stringMatching(/^brokers: nothing was given.*KAFKA_BROKERS/)]);
  });

  it('pass on TLS, SASL and durations', () => {
    const ca = 'certificate';
    const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' } as const;
    expect(
      kafkaConnectionSettings({ brokers: 'a:1', ssl: { ca }, sasl, connectTimeout: '2s', requestTimeout: 5 }, {}),
    ).toMatchObject({ ssl: { ca }, sasl, connectTimeoutMs: 2_000, requestTimeoutMs: 5 });
    expect(kafkaConnectionSettings({ brokers: 'a:1', ssl: true }, {}).ssl).toEqual({});
    expect(kafkaConnectionSettings({ brokers: 'a:1', ssl: false }, {}).ssl).toBeUndefined();
    const token = async () => ({ value: 't' });
    expect(kafkaConnectionSettings({ brokers: 'a:1', sasl: { mechanism: 'oauthbearer', token } }, {}).sasl).toEqual({
      mechanism: 'oauthbearer',
      token,
    });
  });

  it.each([
    [{ brokers: 'localhost' }, /^brokers\.0:.*host:port/],
    [{ brokers: 'a:0' }, /^brokers\.0:/],
    [{ brokers: 'a:99999' }, /^brokers\.0:/],
    [{ brokers: ['a:1', 7] }, /^brokers/],
    [{ brokers: 'a:1', broker: 'a' }, /did you mean "brokers"/],
    [{ brokers: 'a:1', connectTimeout: 'soon' }, /^connectTimeout:.*"soon"/],
    [{ brokers: 'a:1', ssl: 'yes' }, /^ssl:/],
    [{ brokers: 'a:1', sasl: { mechanism: 'gssapi' } }, /^sasl\.mechanism:.*"plain" or/],
    [{ brokers: 'a:1', sasl: { mechanism: 'plain', username: 'u' } }, /^sasl\.password: accepted is the password/],
    [{ brokers: 'a:1', sasl: { mechanism: 'oauthbearer', token: 'text' } }, /^sasl\.token: accepted is a function/],
    ['a:1', /^settings/],
  ])('refuse %j', (options, problem) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(problem)]);
  });

  it('repeat no credentials, wherever they were put', () => {
    const secret = 's3cret';
    for (const options of [
      { brokers: `sasl://u:${secret}@a:1` },
      { brokers: `u:${secret}@a:1` },
      { brokers: { url: `kafka://u:${secret}@a` } },
      { brokers: 'a:1', sasl: secret },
      { brokers: 'a:1', sasl: { mechanism: 'plain', username: { [secret]: secret }, password: [secret] } },
      { brokers: 'a:1', sasl: { mechanism: 'plain', username: 'u', password: secret, passwort: secret } },
      { brokers: 'a:1', clientId: 7, sasl: { mechanism: secret } },
    ]) {
      const problems = problemsOf(options);
      expect(problems).not.toEqual([]);
      expect(inspect(problems)).not.toContain(secret);
    }
  });
});
