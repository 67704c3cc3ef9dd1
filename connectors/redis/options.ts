import type { ClusterOptions, RedisOptions } from 'ioredis';
import { z } from 'zod';
import { type Duration, SettingsError, settingsFields, settingsProblems } from '../../lib/index.ts';

const { duration, section, wholeNumber } = settingsFields;

/** A server's address. */
export interface RedisAddress {
  readonly host: string;
  /** Default 6379; 26379 for a Sentinel. */
  readonly port?: number;
}

/** Where the Redis of a store is, and how it is used. Exactly one of `url`, `sentinels`, `cluster` or a host in `options`. */
export interface RedisStoreOptions {
  /** `redis://[[user]:password@]host[:port][/db]`; `rediss://` for TLS. */
  readonly url?: string;
  /** The Sentinels to ask for the master of the group `name`. */
  readonly sentinels?: readonly RedisAddress[];
  /** The group that the Sentinels watch. */
  readonly name?: string;
  /** Some nodes of a cluster, as addresses or `host:port`; the others are found. */
  readonly cluster?: readonly (RedisAddress | string)[];
  /** Passed on to ioredis: username, password, db, tls, sentinelPassword, family, path, … */
  readonly options?: RedisOptions;
  /** Passed on to ioredis' `Cluster`: natMap, dnsLookup, … */
  readonly clusterOptions?: ClusterOptions;
  /** What every key begins with; default `tidemark`. */
  readonly prefix?: string;
  /** How long one command may take; default `10s`. */
  readonly commandTimeout?: Duration;
  /** How long a connection may take to come about; default `5s`. */
  readonly connectTimeout?: Duration;
  /**
   * How many replicas must have what is committed. Left out: one, when one is connected. A number is demanded always, also
   * when fewer are connected.
   */
  readonly replicas?: number;
}

/** The options, checked and complete. */
export interface RedisStoreSettings {
  readonly target:
    | { readonly kind: 'server'; readonly options: RedisOptions }
    | { readonly kind: 'cluster'; readonly nodes: readonly Required<RedisAddress>[]; readonly options: ClusterOptions };
  /** For people; without credentials. */
  readonly location: string;
  readonly prefix: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly replicas: number | undefined;
}

/** What the store sets itself, because it relies on it. */
const reserved: Record<string, string> = {
  autoResendUnfulfilledCommands: 'the store sends again what is safe to be sent again',
  commandTimeout: 'use commandTimeout of the store',
  connectTimeout: 'use connectTimeout of the store',
  enableAutoPipelining: 'the order of commands matters',
  enableOfflineQueue: 'commands wait for a connection, but not longer than commandTimeout',
  keyPrefix: 'use prefix of the store',
  lazyConnect: 'the store connects when it is first used',
  readOnly: 'the store writes',
  replyMapping: 'the store reads the replies itself',
  scaleReads: 'the store reads what it has written',
  stringNumbers: 'the store reads the replies itself',
};

const port = () => z.int({ error: 'a port from 1 to 65535' }).min(1).max(65_535, { error: 'a port from 1 to 65535' });
const host = () =>
  z.string({ error: 'the name or address of a host' }).min(1, { error: 'the name or address of a host' });
const address = (defaultPort: number) => section({ host: host(), port: port().default(defaultPort) });

const passedOn = (what: string) =>
  z.custom<Record<string, unknown>>(given => typeof given === 'object' && given !== null && !Array.isArray(given), {
    error: `an object with options of ioredis for ${what}`,
  });

const schema = section({
  url: z.string({ error: 'a URL such as "redis://localhost:6379"' }).optional(),
  sentinels: z
    .array(address(26_379), { error: 'a list of { host, port }' })
    .min(1, { error: 'one at least' })
    .optional(),
  name: z.string({ error: 'the name of a group of the Sentinels' }).min(1, { error: 'a name' }).optional(),
  cluster: z
    .array(z.union([z.string().transform(hostAndPort), address(6379)], { error: '{ host, port } or "host:port"' }), {
      error: 'a list of { host, port } or "host:port"',
    })
    .min(1, { error: 'one node at least' })
    .optional(),
  options: passedOn('its connections').optional(),
  clusterOptions: passedOn('its Cluster').optional(),
  prefix: z
    .string({ error: 'a text' })
    .regex(/^[A-Za-z0-9:._-]{1,100}$/, { error: '1 to 100 letters, digits, ":", ".", "_" or "-"' })
    .default('tidemark'),
  commandTimeout: duration().default(10_000),
  connectTimeout: duration().default(5_000),
  replicas: wholeNumber(0).optional(),
});

type Parsed = z.output<typeof schema>;

function hostAndPort(text: string, context: z.RefinementCtx): Required<RedisAddress> {
  const parts = /^(?:redis:\/\/)?(\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(?::(\d{1,5}))?\/?$/.exec(text);
  if (parts) return { host: (parts[1] as string).replace(/^\[|\]$/g, ''), port: Number(parts[2] ?? 6379) };
  context.addIssue({
    code: 'custom',
    message: '{ host, port } or "host:port", without a password (give that in options)',
  });
  return z.NEVER;
}

/** Checks the options; throws one `SettingsError` that names every problem, and no credentials. */
export function redisStoreSettings(
  given: string | RedisStoreOptions,
  what = 'The settings of the Redis store are wrong',
): RedisStoreSettings {
  const wrong = (problems: readonly string[]) => new SettingsError(what, problems);
  const parsed = schema.safeParse(typeof given === 'string' ? { url: given } : given, { reportInput: true });
  if (!parsed.success) throw wrong(settingsProblems(parsed.error.issues).map(withoutUrl));
  const settings = parsed.data;
  const url = settings.url === undefined ? undefined : readUrl(settings.url);
  const problems = [...(url?.problems ?? []), ...crossChecks(settings)];
  if (problems.length > 0) throw wrong(problems);
  return {
    ...targetOf(settings, url?.options ?? {}),
    prefix: settings.prefix,
    commandTimeoutMs: settings.commandTimeout,
    connectTimeoutMs: settings.connectTimeout,
    replicas: settings.replicas,
  };
}

/** A text that could hold a password, at whatever place, is not repeated. */
const withoutUrl = (problem: string): string =>
  problem.replace(/"(?:[^"\\]|\\.)*(?::\/\/|@)(?:[^"\\]|\\.)*"/g, 'a text with credentials or a URL');

function readUrl(text: string): { options: RedisOptions; problems: string[] } {
  const accepted = 'accepted is redis://[[user]:password@]host[:port][/db], or rediss:// for TLS';
  const url = URL.parse(text);
  if (!url) return { options: {}, problems: [`url: it cannot be read as a URL; ${accepted}`] };
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === undefined || password === undefined || /@/.test(`${url.pathname}${url.search}${url.hash}`)) {
    // What stands there may be a part of the password: none of it is repeated.
    return { options: {}, problems: ['url: user and password must be percent-encoded (encodeURIComponent)'] };
  }
  const problems: string[] = [];
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    problems.push(`url: "${url.protocol}" was given; ${accepted}`);
  }
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d{0,6}$/.test(db)) problems.push(`url: "${db}" was given as database; accepted is a number`);
  for (const name of url.searchParams.keys()) problems.push(`url: "?${name}" is not known; give it in options`);
  const options: RedisOptions = {
    host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port || 6379),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
  return { options, problems };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function crossChecks(settings: Parsed): string[] {
  const options: RedisOptions = settings.options ?? {};
  const problems: string[] = [];
  const places = [
    settings.url !== undefined && 'url',
    settings.sentinels && 'sentinels',
    settings.cluster && 'cluster',
    ('host' in options || 'path' in options) && 'options.host or options.path',
  ].filter(place => typeof place === 'string');
  if (places.length !== 1) {
    const found = places.length === 0 ? 'nothing' : places.join(' and ');
    problems.push(`settings: ${found} says where Redis is; accepted is one of url, sentinels, cluster or options.host`);
  }
  if (settings.sentinels && settings.name === undefined) problems.push('name: it is needed with sentinels');
  if (!settings.sentinels && settings.name !== undefined) problems.push('name: it is used with sentinels only');
  if (settings.clusterOptions && !settings.cluster) problems.push('clusterOptions: they are used with cluster only');
  if (settings.cluster && options.db) problems.push('options.db: a cluster has database 0 only');
  for (const [section, object] of [
    ['options', options],
    ['clusterOptions', settings.clusterOptions ?? {}],
  ] as const) {
    for (const [name, why] of Object.entries(reserved)) {
      if (name in object) problems.push(`${section}.${name}: leave it out; ${why}`);
    }
  }
  for (const name of ['sentinels', 'name', 'cluster', 'redisOptions'] as const) {
    if (name in options || (name === 'redisOptions' && name in (settings.clusterOptions ?? {}))) {
      problems.push(`${name === 'redisOptions' ? 'clusterOptions' : 'options'}.${name}: give it one level up`);
    }
  }
  return problems;
}

function targetOf(settings: Parsed, fromUrl: RedisOptions): Pick<RedisStoreSettings, 'target' | 'location'> {
  const { cluster, sentinels, name } = settings;
  const options: RedisOptions = { ...settings.options, ...fromUrl };
  if (fromUrl.tls && settings.options?.tls) options.tls = settings.options.tls as NonNullable<RedisOptions['tls']>;
  const list = (addresses: readonly Required<RedisAddress>[]) => addresses.map(addressText).join(',');
  if (cluster) {
    return {
      target: { kind: 'cluster', nodes: cluster, options: { ...settings.clusterOptions, redisOptions: options } },
      location: `redis-cluster://${list(cluster)}`,
    };
  }
  const db = options.db ?? 0;
  if (sentinels && name !== undefined) {
    return {
      target: { kind: 'server', options: { ...options, sentinels, name } },
      location: `redis-sentinel://${list(sentinels)}/${name}/${db}`,
    };
  }
  const scheme = options.tls ? 'rediss' : 'redis';
  const where = options.path ?? addressText({ host: options.host ?? 'localhost', port: options.port ?? 6379 });
  return { target: { kind: 'server', options }, location: `${scheme}://${where}/${db}` };
}

const addressText = ({ host, port }: Required<RedisAddress>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
