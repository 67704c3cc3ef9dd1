import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Command, tidemark } from './harness/command.ts';
import { kinds, placeFor } from './harness/places.ts';
import { expectSums, sumsIn } from './harness/sums.ts';

describe.each(kinds)('a job with a file as its output, on the %s store', kind => {
  it('goes back to a savepoint, in the file as well, and stops with another', { timeout: 120_000 }, async () => {
    const { folder, store } = await placeFor(kind);
    const out = path.join(folder, 'sums.txt');
    const run = (last: number | undefined, ...args: readonly string[]): Command =>
      tidemark(
        ['run', 'spec/recovery/jobs/numbers.ts', '--store', store, '--set', `out=${out}`]
          .concat(last === undefined ? [] : ['--set', `last=${last}`])
          .concat(args),
      );
    const savepoint = async (...args: readonly string[]): Promise<string> => {
      const command = tidemark(['savepoint', ...args, '--store', store]);
      expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
      return command.output;
    };
    const first = run(undefined);
    await first.says(' committed: ', 2);
    await savepoint('create', 'numbers', '--name', 'early');
    await first.says(' committed: ', first.output.split(' committed: ').length);
    const text = await savepoint('stop', 'numbers', '--name', 'late');
    expect(await first.exited, first.output).toEqual({ code: 0, signal: null });
    const id = /is checkpoint (\d+):/.exec(text)?.[1] ?? '';
    const before = sumsIn(out).length;

    const directory = path.join(folder, 'early');
    await savepoint('export', 'numbers/early', directory);
    const back = run(undefined, '--from-savepoint', directory, '--rewind', id);
    await back.says('output behind the restored checkpoint is dropped');
    await back.says(' committed: ', 2);
    back.kill('SIGTERM');
    expect(await back.exited, back.output).toEqual({ code: 0, signal: null });
    expectSums(sumsIn(out));

    // The same again does not go back again.
    const again = run(undefined, '--from-savepoint', directory, '--rewind', id);
    await again.says(' committed: ', 2);
    again.kill('SIGTERM');
    expect(await again.exited, again.output).toEqual({ code: 0, signal: null });
    expect(again.output).not.toContain('is dropped');
    expectSums(sumsIn(out));
    expect(before).toBeGreaterThan(0);
  });
});
