import { describe, expect, it } from 'vitest';
import { NoAnswer, redisFailure } from '../../../connectors/redis/errors.ts';
import { ExternalError, FencedError, StoreRefusedError, StoreUnavailableError } from '../../../lib/errors.ts';

const where = { location: 'redis://h:1/0', action: 'confirm checkpoint 7', timeoutMs: 500, secrets: ['hunter2'] };

describe('errors of the Redis store', () => {
  it.each<[string, typeof ExternalError, RegExp]>([
    ['WRONGPASS invalid username-password pair or user is disabled.', StoreRefusedError, /password is wrong/],
    ['NOAUTH Authentication required.', StoreRefusedError, /password is wrong/],
    ["NOPERM this user has no permissions to run the 'eval' command", StoreRefusedError, /ACL/],
    ['ERR DB index is out of range', StoreRefusedError, /another number/],
    ['WRONGTYPE Operation against a key', StoreRefusedError, /another prefix/],
    ['self-signed certificate', StoreRefusedError, /TLS failed/],
    [
      'Client network socket disconnected before secure TLS connection was established',
      StoreUnavailableError,
      /may be starting, or does not expect TLS/,
    ],
    ['getaddrinfo ENOTFOUND nowhere', StoreUnavailableError, /DNS/],
    ['OOM command not allowed when used memory > maxmemory', StoreUnavailableError, /raise maxmemory/],
    ['MISCONF Redis is configured to save RDB snapshots', StoreUnavailableError, /its disk/],
    ["READONLY You can't write against a read only replica.", StoreUnavailableError, /failover/],
    ['CLUSTERDOWN The cluster is down', StoreUnavailableError, /failover/],
    ['connect ECONNREFUSED 127.0.0.1:1', StoreUnavailableError, /runs there and can be reached/],
    ['Connection is closed.', StoreUnavailableError, /runs there and can be reached/],
    ['Command timed out', StoreUnavailableError, /within 500 ms.*raise commandTimeout/],
    ['ERR something else', ExternalError, /ERR something else/],
  ])('%s', (said, kind, advice) => {
    const error = redisFailure(new Error(said), where);
    expect(error.constructor).toBe(kind);
    expect(error.message).toContain('redis://h:1/0');
    expect(error.message).toContain('confirm checkpoint 7');
    expect(error.message).toMatch(advice);
    expect(error.retriable).toBe(kind !== StoreRefusedError);
  });

  it('name what the connection said last, where a command only found none', () => {
    const connectionError = new Error('connect ECONNREFUSED 127.0.0.1:1');
    for (const found of [new Error('Connection is closed.'), new NoAnswer()]) {
      expect(redisFailure(found, { ...where, connectionError }).message).toContain('ECONNREFUSED 127.0.0.1:1');
    }
    const refused = redisFailure(new NoAnswer(), { ...where, connectionError: new Error('WRONGPASS no') });
    expect(refused).toBeInstanceOf(StoreRefusedError);
  });

  it('carry neither secrets nor the arguments of commands', () => {
    const reply = Object.assign(new Error('ERR invalid: hunter2'), { command: { name: 'auth', args: ['hunter2'] } });
    const error = redisFailure(reply, { ...where, connectionError: new Error('also hunter2') });
    const everything = `${error.message}${error.stack}${JSON.stringify(error)}${(error.cause as Error).stack}`;
    expect(everything).not.toContain('hunter2');
    expect(error.message).toContain('[redacted]');
  });

  it('leave our own errors as they are', () => {
    const fenced = new FencedError('taken over');
    expect(redisFailure(fenced, where)).toBe(fenced);
  });
});
