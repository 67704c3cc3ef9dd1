import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { type Duration, SettingsError, settingsFields, settingsProblems } from '../../lib/index.ts';

const { duration, functionOf, section } = settingsFields;

/** A token for OAUTHBEARER, as the identity provider gave it. */
export interface KafkaToken {
  readonly value: string;
  /** Sent along with the token (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** How the client says who it is. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** Called for every connection, and again before the session ends; keeps and renews tokens itself. */
      readonly token: () => Promise<KafkaToken>;
    };

/** Where a Kafka cluster is and how to get in. */
export interface KafkaConnectionOptions {
  /** Some brokers of the cluster, `host:port`; the others are found. Default: `KAFKA_BROKERS`, separated by commas. */
  readonly brokers?: string | readonly string[];
  /** What this client calls itself in the brokers' logs, metrics and quotas; default `tidemark`. */
  readonly clientId?: string;
  /** TLS: `true`, or options of `node:tls` (ca, cert, key, servername, …); default off. */
  readonly ssl?: boolean | ConnectionOptions;
  /** Default: none. */
  readonly sasl?: KafkaSasl;
  /** How long it is tried to connect before that fails; default `10s`. */
  readonly connectTimeout?: Duration;
  /** How long one request may take; default `30s`. */
  readonly requestTimeout?: Duration;
}

/** A broker's address. */
export interface KafkaAddress {
  readonly host: string;
  readonly port: number;
}

/** The options, checked and complete. */
export interface KafkaConnectionSettings {
  readonly brokers: readonly KafkaAddress[];
  /** For people; without credentials. */
  readonly location: string;
  readonly clientId: string;
  readonly ssl: ConnectionOptions | undefined;
  readonly sasl: KafkaSasl | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

const brokerForm = '"host:port", without a scheme and credentials';
const text = (what: string) => z.string({ error: what }).min(1, { error: what });

const schema = section({
  brokers: z
    .union([z.string().transform(given => given.split(',').map(broker => broker.trim())), z.array(z.string())], {
      error: `a list of ${brokerForm}`,
    })
    .optional(),
  clientId: text('a name for this client').default('tidemark'),
  ssl: z
    .union([z.boolean(), z.custom<ConnectionOptions>(isObject)], { error: 'true, false or options of node:tls' })
    .default(false),
  sasl: z.unknown().optional(),
  connectTimeout: duration().default(10_000),
  requestTimeout: duration().default(30_000),
});

const withPassword = section({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: text('the name of the user'),
  password: z.string({ error: 'the password' }),
});
const withToken = section({
  mechanism: z.literal('oauthbearer'),
  token: functionOf<() => Promise<KafkaToken>>('a function that returns a promise of { value }'),
});

/** Checks the options; throws one `SettingsError` that names every problem, and no credentials. */
export function kafkaConnectionSettings(
  given: KafkaConnectionOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): KafkaConnectionSettings {
  const parsed = schema.safeParse(given, { reportInput: true });
  const problems = parsed.success ? [] : settingsProblems(parsed.error.issues).map(withoutCredentials);
  const listed = parsed.success ? (parsed.data.brokers ?? fromEnvironment(env)) : [];
  if (parsed.success && listed.length === 0) {
    problems.push(`brokers: nothing was given; accepted is a list of ${brokerForm}, here or in KAFKA_BROKERS`);
  }
  const brokers = listed.map(addressOf);
  brokers.forEach((broker, i) => {
    if (broker === undefined) problems.push(`brokers.${i}: it cannot be read; accepted is ${brokerForm}`);
  });
  const sasl = saslOf(given?.sasl, problems);
  if (!parsed.success || problems.length > 0) throw new SettingsError('The settings of Kafka are wrong', problems);
  const { clientId, ssl, connectTimeout, requestTimeout } = parsed.data;
  const found = brokers.filter(broker => broker !== undefined);
  return {
    brokers: found,
    location: `kafka://${found.map(addressText).join(',')}`,
    clientId,
    ssl: ssl === true ? {} : ssl === false ? undefined : ssl,
    sasl,
    connectTimeoutMs: connectTimeout,
    requestTimeoutMs: requestTimeout,
  };
}

/** `host:port`, an IPv6 address in brackets. */
export const addressText = ({ host, port }: KafkaAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

function fromEnvironment(env: NodeJS.ProcessEnv): string[] {
  return (env.KAFKA_BROKERS ?? '')
    .split(',')
    .map(broker => broker.trim())
    .filter(broker => broker !== '');
}

function addressOf(broker: string): KafkaAddress | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/.exec(broker);
  if (!parts) return undefined;
  const port = Number(parts[2]);
  return port >= 1 && port <= 65_535 ? { host: (parts[1] as string).replace(/^\[|\]$/g, ''), port } : undefined;
}

function saslOf(given: unknown, problems: string[]): KafkaSasl | undefined {
  if (given === undefined) return undefined;
  const mechanism = isObject(given) ? (given as { mechanism?: unknown }).mechanism : undefined;
  const known = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'];
  if (typeof mechanism !== 'string' || !known.includes(mechanism)) {
    problems.push(`sasl.mechanism: accepted is ${known.map(name => `"${name}"`).join(' or ')}`);
    return undefined;
  }
  // The input is not reported: it holds the password.
  const parsed = (mechanism === 'oauthbearer' ? withToken : withPassword).safeParse(given);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    problems.push(`sasl${issue.path.map(name => `.${String(name)}`).join('')}: accepted is ${issue.message}`);
  }
  return undefined;
}

function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

/** A text that could hold a password, at whatever place, is not repeated. */
const withoutCredentials = (problem: string): string =>
  problem.replace(/"(?:[^"\\]|\\.)*(?::\/\/|@)(?:[^"\\]|\\.)*"/g, 'a text with credentials or a URL');
