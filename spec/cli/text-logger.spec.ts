import { describe, expect, it } from 'vitest';
import { textLogger } from '../../cli/text-logger.ts';
import type { LogLevel } from '../../lib/observe/create-logger.ts';

function recorded(level: LogLevel = 'info') {
  const lines: string[] = [];
  const now = () => new Date(2001, 0, 1, 14, 5, 9).getTime();
  return { logger: textLogger({ level, write: line => lines.push(line), now }), lines };
}

describe('textLogger', () => {
  it('writes time, level, message and fields, without what is the same in every line', () => {
    const { logger, lines } = recorded();
    logger
      .child({ job: 'totals', task: 'main', sink: 'out' })
      .warn({ id: 3, note: 'two words', big: 5n }, 'closing failed');
    logger.info({ list: [1, 2] }, 'short');
    expect(lines).toEqual([
      '14:05:09 warn  closing failed  sink=out  id=3  note="two words"  big=5',
      '14:05:09 info  short  list=[1,2]',
    ]);
  });

  it('keeps to its level', () => {
    const { logger, lines } = recorded('warn');
    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.warn({}, 'c');
    logger.error({}, 'd');
    expect(lines.map(line => line.slice(9))).toEqual(['warn  c', 'error d']);
    expect(recorded('silent').logger.error({}, 'x')).toBeUndefined();
  });

  it('shows errors by code and message, indents further lines, and hides secrets', () => {
    const { logger, lines } = recorded();
    logger.error(
      { error: Object.assign(new Error('no redis://a:hunter2@h'), { code: 'ECONNREFUSED' }), password: 'p' },
      'one\ntwo',
    );
    expect(lines).toEqual([
      '14:05:09 error one\n    two  error="ECONNREFUSED: no redis://[redacted]@h"  password=[redacted]',
    ]);
  });
});
