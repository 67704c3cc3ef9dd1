import { ExternalError, messageOf, StoreRefusedError, StoreUnavailableError, TidemarkError } from '../../lib/index.ts';

/** The Redis of a sink did not answer, or refused for a reason that may pass. */
export class RedisSinkError extends ExternalError {
  override readonly code = 'REDIS_SINK';
}

/** The Redis of a sink refused for a reason that does not pass by itself: a wrong password, a command that is not allowed. */
export class RedisSinkRefusedError extends ExternalError {
  override readonly code = 'REDIS_SINK_REFUSED';
  override readonly retriable = false;
}

/** What a sink is to write to is not what it expects: a key of another type, or output of another job or checkpoint. */
export class RedisOutputError extends TidemarkError {
  readonly code = 'REDIS_OUTPUT';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Who uses a connection. */
export type RedisUser = 'store' | 'sink';

const classes = {
  store: { refused: StoreRefusedError, unavailable: StoreUnavailableError },
  sink: { refused: RedisSinkRefusedError, unavailable: RedisSinkError },
} as const;

/** Where and during what something failed. */
export interface RedisWhere {
  /** Default `store`. */
  readonly user?: RedisUser;
  /** The server, without credentials. */
  readonly location: string;
  readonly action: string;
  /** What the connection said last; it often explains why commands found none. */
  readonly connectionError?: unknown;
  readonly timeoutMs: number;
  /** Texts that must not show up anywhere. */
  readonly secrets: readonly string[];
}

/** What a command was still waiting for when its time was up. */
export class NoAnswer extends Error {}

interface Case {
  readonly matches: RegExp;
  readonly is: 'refused' | 'unavailable';
  readonly advice: string;
}

// First match wins. `refused`: it does not pass by itself.
const cases: readonly Case[] = [
  {
    matches: /WRONGPASS|NOAUTH|invalid password|AUTH.*called without any password/i,
    is: 'refused',
    advice: 'The user or the password is wrong: check the settings of the connection.',
  },
  {
    matches: /NOPERM|user executing the script/,
    is: 'refused',
    advice: 'The user may not do that: extend its ACL (the README of the connector lists the commands that it needs).',
  },
  {
    matches: /DB index is out of range|SELECT is not allowed in cluster mode/i,
    is: 'refused',
    advice: 'There is no such database on this server: choose another number.',
  },
  {
    matches: /WRONGTYPE/,
    is: 'refused',
    advice: 'Something else uses keys with this prefix: choose another prefix.',
  },
  {
    matches: /ENOTFOUND|EAI_AGAIN/,
    is: 'unavailable',
    advice: 'The name of the host is not known: check it, and the DNS.',
  },
  {
    // A server behind TLS that restarts looks like this.
    matches: /before secure TLS connection/,
    is: 'unavailable',
    advice: 'It may be starting, or does not expect TLS on this port: check the settings of the connection.',
  },
  {
    matches: /CERT|certificate|self.signed|SSL|TLS|EPROTO/i,
    is: 'refused',
    advice: 'TLS failed: check the certificates and that the server expects TLS on this port.',
  },
  {
    matches: /OOM/,
    is: 'unavailable',
    advice: 'Redis is out of memory: raise maxmemory or make room. What is committed is intact.',
  },
  {
    matches: /MISCONF/,
    is: 'unavailable',
    advice: 'Redis cannot save to its disk and takes no writes: look at its log and its disk.',
  },
  {
    matches: /READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|LOADING|BUSY|MOVED|sentinels/i,
    is: 'unavailable',
    advice: 'It may pass after a failover or a start; otherwise look at the state of the server.',
  },
];

/** The error for what a call of Redis threw: what failed, where, and what to do; without credentials and arguments. */
export function redisFailure(error: unknown, where: RedisWhere): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const said = withoutSecrets(messageOf(error), where.secrets);
  const before =
    where.connectionError === undefined ? '' : withoutSecrets(messageOf(where.connectionError), where.secrets);
  // Replies of ioredis carry the arguments of their command: state, or a password. Only the words go on.
  const { user = 'store' } = where;
  const { unavailable: Unavailable } = classes[user];
  const options = {
    cause: new Error(before && before !== said ? `${said} (${before})` : said),
    context: { [user === 'store' ? 'store' : 'redis']: where.location },
  };
  const what = `Redis at ${where.location} failed to ${where.action}`;
  const known = cases.find(({ matches }) => matches.test(said)) ?? cases.find(({ matches }) => matches.test(before));
  if (known)
    return new classes[user][known.is](`${what}: ${before || said}. ${known.advice}`.replace(/\.\. /, '. '), options);
  if (error instanceof NoAnswer || isTimeout(said)) {
    const because = before ? ` (${before})` : '';
    return new Unavailable(
      `${what} within ${where.timeoutMs} ms${because}. Check that it runs and can be reached, or raise commandTimeout.`,
      options,
    );
  }
  if (isConnection(error, said)) {
    const because = before || said;
    return new Unavailable(`${what}: ${because}. Check that it runs there and can be reached.`, options);
  }
  return new ExternalError(`${what}: ${said}`, options);
}

const isTimeout = (said: string): boolean => /timed out|ETIMEDOUT|Socket timeout/i.test(said);

const isConnection = (error: unknown, said: string): boolean =>
  /^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code ?? '')) ||
  /ECONN|EPIPE|EHOST|ENET|Connection is closed|max retries per request|aborted|Failed to refresh slots|isn't writeable|ended/i.test(
    said,
  );

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  return clean;
}
