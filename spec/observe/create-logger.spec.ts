import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel, silentLogger } from '../../lib/observe/create-logger.ts';

function recorded(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const logger = createLogger({ destination, fields: { job: 'totals' }, ...(level ? { level } : {}) });
  return { logger, lines };
}

describe('createLogger', () => {
  it('writes a JSON object a line with level, time and fields', () => {
    const { logger, lines } = recorded();
    logger.info({ checkpointId: 3, big: 5n }, 'committed');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        pid: process.pid,
        job: 'totals',
        checkpointId: 3,
        big: 5,
        msg: 'committed',
      },
    ]);
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('at level %s writes %s', (level, written) => {
    const { logger, lines } = recorded(level);
    for (const name of ['debug', 'info', 'warn', 'error'] as const) logger[name]({}, 'x');
    expect(lines.map(line => line.level)).toEqual(written);
  });

  it('writes no secret: not in fields, messages, errors, nor in what a child adds', () => {
    const { logger, lines } = recorded();
    const child = logger.child({ sasl: { username: 'app', password: 'hunter2' } }).child({ apiKey: 'hunter2' });
    child.warn(
      { error: new Error('redis://a:hunter2@h'), nested: [{ secret: 'hunter2' }] },
      'at redis://a:hunter2@h %s',
    );
    child.error({ token: 7 }, 'fenced');
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines[0]).toMatchObject({
      sasl: '[redacted]',
      apiKey: '[redacted]',
      error: { type: 'Error', message: 'redis://[redacted]@h' },
      msg: 'at redis://[redacted]@h %s',
    });
    expect(lines[1]).toMatchObject({ token: 7, job: 'totals' });
  });

  it('does not look at the fields of a line that is not written', () => {
    const { logger } = recorded();
    const fields = {
      get costly(): string {
        throw new Error('looked at');
      },
    };
    expect(() => logger.debug(fields, 'x')).not.toThrow();
  });

  it('writes to stderr by default, before the process exits', () => {
    const file = path.resolve(import.meta.dirname, '../../lib/observe/create-logger.ts');
    const script = `import { createLogger } from ${JSON.stringify(file)}; createLogger().info({}, 'last words'); process.exit(0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({ msg: 'last words' });
  });
});

describe('silentLogger', () => {
  it('takes everything', () => {
    expect(() => silentLogger.child({}).error({}, 'x')).not.toThrow();
  });
});
