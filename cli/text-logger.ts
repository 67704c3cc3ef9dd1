import type { LogLevel } from '../lib/observe/create-logger.ts';
import type { Logger } from '../lib/observe/logger.ts';
import { redact, redactText } from '../lib/observe/redact.ts';
import { timeOfDay } from './quantities.ts';

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];
type Level = Exclude<LogLevel, 'silent'>;

export interface TextLoggerOptions {
  readonly level: LogLevel;
  /** Takes one line, without its line break. */
  readonly write: (line: string, level: Level) => void;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

/** A logger for people: '14:05:09 warn  closing failed  sink=totals'. Without secrets, and without what is the same in every line. */
export function textLogger(options: TextLoggerOptions, fields: object = {}): Logger {
  const least = levels.indexOf(options.level);
  const at = (level: Level) => (own: object, message: string) => {
    if (levels.indexOf(level) < least) return;
    const all = Object.entries(redact({ ...fields, ...asFields(own) }) as object)
      .filter(([name]) => name !== 'job' && name !== 'task')
      .map(([name, value]) => `  ${name}=${shown(value)}`);
    const line = `${timeOfDay(options.now())} ${level.padEnd(5)} ${redactText(message)}${all.join('')}`;
    options.write(line.replaceAll('\n', '\n    '), level);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: more => textLogger(options, { ...fields, ...more }),
  };
}

/** pino takes an error in place of fields. */
function asFields(own: object): object {
  return own instanceof Error ? { error: own } : own;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s="]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const { message, code } = value as { message?: unknown; code?: unknown };
  if (typeof message === 'string') return JSON.stringify(typeof code === 'string' ? `${code}: ${message}` : message);
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner));
}
