import { describe, expect, it } from 'vitest';
import { errorLines } from '../../cli/error-report.ts';
import { UsageError } from '../../cli/exit-code.ts';
import { InternalError, SettingsError, StoreUnavailableError, UserCodeError } from '../../lib/errors.ts';

describe('errorLines', () => {
  it('says what happened, where, and who can mend it, with the place in the user’s own code', () => {
    const cause = new TypeError('x is undefined');
    cause.stack = [
      'TypeError: x is undefined',
      '    at receive (file:///app/totals.ts:7:3)',
      '    at produce (file:///app/node_modules/immer/dist/immer.mjs:1:1)',
      '    at node:internal/process/task_queues:95:5',
    ].join('\n');
    const error = new UserCodeError('The actor "total" threw.', {
      cause,
      context: { operator: 'total', checkpointId: 3 },
    });
    expect(errorLines(error)).toEqual([
      'The actor "total" threw.',
      '  USER_CODE, to be mended in the job, its input or its settings',
      '  at operator total, checkpoint 3',
      '  caused by: TypeError: x is undefined',
      '    at receive (file:///app/totals.ts:7:3)',
    ]);
    expect(errorLines(error, true)).toHaveLength(7);
  });

  it('does not repeat a cause that the message holds, and hides secrets', () => {
    const cause = new Error('connect redis://a:hunter2@h refused');
    const error = new StoreUnavailableError(`The store is away: ${cause.message}`, { cause });
    expect(errorLines(error)).toEqual([
      'The store is away: connect redis://[redacted]@h refused',
      '  STORE_UNAVAILABLE, caused outside: a store, a disk, a broker or another process',
    ]);
  });

  it('keeps the list of a settings error', () => {
    expect(errorLines(new SettingsError('Wrong', ['a: 1', 'b: 2'])).slice(0, 3)).toEqual([
      'Wrong:',
      '  - a: 1',
      '  - b: 2',
    ]);
  });

  it('shows the stack of a fault of ours and of what nobody has classified', () => {
    const shown = errorLines(new InternalError('broken'));
    expect(shown.slice(0, 2)).toEqual([
      'broken',
      '  INTERNAL, a fault of Tidemark itself: please report it with the lines below',
    ]);
    expect(shown[2]).toMatch(/^ {4}at /);
    expect(errorLines(new RangeError('odd'))[1]).toMatch(/^ {4}at /);
    expect(errorLines('text')).toEqual(['text']);
  });

  it('is short about a usage error, and ends where causes go round', () => {
    expect(errorLines(new UsageError('There is no file x.'))).toEqual(['There is no file x.']);
    const a = new UserCodeError('a');
    const b = new Error('b', { cause: a });
    (a as { cause?: unknown }).cause = b;
    expect(errorLines(a).length).toBeLessThan(12);
  });
});
