import { describe, expect, it } from 'vitest';
import { parseListenAddress, urlOf } from '../../../lib/observe/status-server/listen-address.ts';

describe('parseListenAddress', () => {
  it.each([
    ['9464', '127.0.0.1', 9464, 'http://127.0.0.1:9464'],
    ['0', '127.0.0.1', 0, 'http://127.0.0.1:0'],
    ['0.0.0.0:9464', '0.0.0.0', 9464, 'http://0.0.0.0:9464'],
    ['localhost:65535', 'localhost', 65_535, 'http://localhost:65535'],
    ['my-host_1.example:80', 'my-host_1.example', 80, 'http://my-host_1.example:80'],
    ['[::]:9464', '::', 9464, 'http://[::]:9464'],
    ['[::ffff:10.0.0.1]:9464', '::ffff:10.0.0.1', 9464, 'http://[::ffff:10.0.0.1]:9464'],
  ])('understands %s, and leaves others out without a host', (given, host, port, url) => {
    const address = parseListenAddress(given);
    expect(address).toEqual({ host, port });
    expect(address && urlOf(address)).toBe(url);
  });

  it.each([
    '',
    ':9464',
    'host',
    'host:',
    '65536',
    'host:65536',
    '-1',
    '1.5',
    '::1:9464',
    '[::1]',
    '[host]:1',
    'http://host:1',
    'a b:1',
    '9464 ',
  ])('refuses "%s"', given => {
    expect(parseListenAddress(given)).toBeUndefined();
  });
});
