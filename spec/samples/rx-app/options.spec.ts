import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../samples/rx-app/options.ts';

describe('the options of the sample rx-app', () => {
  it('have defaults, and are taken from the command line', () => {
    expect(parseOptions([])).toEqual({
      host: '127.0.0.1',
      port: 3_000,
      store: 'out/rx-app',
      sensors: 6,
      seed: 1,
      every: 500,
      'silent-after': '5s',
      checkpoint: '1s',
    });
    expect(parseOptions(['--port', '0', '--checkpoint', 'off', '--silent-after=200ms'])).toMatchObject({
      port: 0,
      checkpoint: 'off',
      'silent-after': '200ms',
    });
  });

  it.each([
    [['--port', 'x'], /whole number of at least 0.*port/s],
    [['--every', '0'], /at least 1.*every/s],
    [['--silent-after', 'soon'], /give a duration, such as 5s.*silent-after/s],
    [['--checkpoint', '0s'], /checkpoint/],
    [['--speed', '1'], /--speed/],
  ])('are refused when they make no sense: %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
