import { describe, expect, it } from 'vitest';
import { ExternalError } from '../../lib/errors.ts';
import { redact, redactText } from '../../lib/observe/redact.ts';

describe('redact', () => {
  it.each([
    ['password', 'hunter2'],
    ['sslKeyPassword', 'hunter2'],
    ['client_secret', 'hunter2'],
    ['Authorization', 'Bearer hunter2'],
    ['accessToken', 'hunter2'],
    ['token', 'hunter2'],
    ['sasl', { mechanism: 'plain', username: 'app', password: 'hunter2' }],
    ['password', Buffer.from('hunter2')],
    ['secret', ['hunter2']],
  ])('hides what is under %s', (name, value) => {
    expect(redact({ deep: [{ [name]: value, id: 3 }] })).toEqual({ deep: [{ [name]: '[redacted]', id: 3 }] });
  });

  it('leaves fence tokens, which are numbers, and names that only look alike', () => {
    const fields = { token: 7, fenceToken: 8, tokens: 'a b', credits: 3, key: 'k', secretary: 'x', none: null };
    expect(redact(fields)).toEqual(fields);
  });

  it.each([
    ['redis://app:hunter2@cache:6379/0', 'redis://[redacted]@cache:6379/0'],
    ['redis://:hunter2@cache', 'redis://[redacted]@cache'],
    ['rediss://app:hun@ter2@cache', 'rediss://[redacted]@cache'],
    ['redis://app:hun/ter2@cache', 'redis://[redacted]@cache'],
    ['at redis://a:hunter2@h1,redis://b:hunter2@h2 now', 'at redis://[redacted]@h1,redis://[redacted]@h2 now'],
    ['https://host/path?user=a&password=hunter2&x=1', 'https://host/path?user=a&password=[redacted]&x=1'],
    ['https://host:8080/path@v2', 'https://host:8080/path@v2'],
    ['mail a@b.example', 'mail a@b.example'],
    ['redis://cache:6379', 'redis://cache:6379'],
  ])('hides the user info in %s', (text, shown) => {
    expect(redactText(text)).toBe(shown);
    expect(redact({ note: [text] })).toEqual({ note: [shown] });
  });

  it('shows errors with their cause, code and context, without secrets', () => {
    const cause = new Error('connect redis://a:hunter2@h');
    const error = new ExternalError('store redis://a:hunter2@h is away', { cause, context: { job: 'totals' } });
    const shown = redact({ error }) as { error: Record<string, unknown> };
    expect(shown.error).toMatchObject({
      type: 'ExternalError',
      code: 'EXTERNAL',
      message: 'store redis://[redacted]@h is away',
      context: { job: 'totals' },
      cause: { type: 'Error', message: 'connect redis://[redacted]@h' },
    });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(shown.error.stack).toMatch(/redact\.spec/);
  });

  it('cuts cycles but not repeats, and takes what has a toJSON, bytes and bigints', () => {
    const shared = { a: 1 };
    const loop: Record<string, unknown> = { x: shared, y: shared };
    loop.self = loop;
    expect(redact(loop)).toEqual({ x: { a: 1 }, y: { a: 1 }, self: '[circular]' });
    expect(
      redact({
        at: new Date(0),
        url: new URL('redis://a:hunter2@h/0'),
        bytes: new Uint8Array(3),
        big: 5n,
        fn: undefined,
      }),
    ).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      url: 'redis://[redacted]@h/0',
      bytes: '[3 bytes]',
      big: 5n,
      fn: undefined,
    });
  });

  it('does not change what it is given', () => {
    const fields = { password: 'hunter2', list: [{ secret: 's' }] };
    redact(fields);
    expect(fields).toEqual({ password: 'hunter2', list: [{ secret: 's' }] });
  });
});
