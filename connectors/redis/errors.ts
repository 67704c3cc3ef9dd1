import { ExternalError, messageOf, StoreRefusedError, StoreUnavailableError, TidemarkError } from '../../lib/index.ts';

/** Where and during what something failed. */
export interface RedisWhere {
  /** The store, without credentials. */
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
  readonly error: typeof ExternalError;
  readonly advice: string;
}

// First match wins. What does not pass by itself is a `StoreRefusedError`.
const cases: readonly Case[] = [
  {
    matches: /WRONGPASS|NOAUTH|invalid password|AUTH.*called without any password/i,
    error: StoreRefusedError,
    advice: 'The user or the password is wrong: check the settings of the store.',
  },
  {
    matches: /NOPERM/,
    error: StoreRefusedError,
    advice:
      'The user may not do that: extend its ACL (the README of the Redis store lists the commands that it needs).',
  },
  {
    matches: /DB index is out of range|SELECT is not allowed in cluster mode/i,
    error: StoreRefusedError,
    advice: 'There is no such database on this server: choose another number.',
  },
  {
    matches: /WRONGTYPE/,
    error: StoreRefusedError,
    advice: 'Something else uses keys with this prefix: choose another prefix.',
  },
  {
    matches: /ENOTFOUND|EAI_AGAIN/,
    error: StoreUnavailableError,
    advice: 'The name of the host is not known: check it, and the DNS.',
  },
  {
    matches: /CERT|certificate|self.signed|SSL|TLS|EPROTO/i,
    error: StoreRefusedError,
    advice: 'TLS failed: check the certificates and that the server expects TLS on this port.',
  },
  {
    matches: /OOM/,
    error: StoreUnavailableError,
    advice: 'Redis is out of memory: raise maxmemory or make room. What is committed is intact.',
  },
  {
    matches: /MISCONF/,
    error: StoreUnavailableError,
    advice: 'Redis cannot save to its disk and takes no writes: look at its log and its disk.',
  },
  {
    matches: /READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|LOADING|BUSY|MOVED|sentinels/i,
    error: StoreUnavailableError,
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
  const options = {
    cause: new Error(before && before !== said ? `${said} (${before})` : said),
    context: { store: where.location },
  };
  const what = `Redis at ${where.location} failed to ${where.action}`;
  const known = cases.find(({ matches }) => matches.test(said)) ?? cases.find(({ matches }) => matches.test(before));
  if (known) return new known.error(`${what}: ${before || said}. ${known.advice}`.replace(/\.\. /, '. '), options);
  if (error instanceof NoAnswer || isTimeout(said)) {
    const because = before ? ` (${before})` : '';
    return new StoreUnavailableError(
      `${what} within ${where.timeoutMs} ms${because}. Check that it runs and can be reached, or raise commandTimeout.`,
      options,
    );
  }
  if (isConnection(error, said)) {
    const because = before || said;
    return new StoreUnavailableError(`${what}: ${because}. Check that it runs there and can be reached.`, options);
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
