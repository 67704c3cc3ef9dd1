import type { LogLevel } from '../../lib/observe/create-logger.ts';
import type { Logger } from '../../lib/observe/logger.ts';
import { redact, redactText } from '../../lib/observe/redact.ts';
import type { LogLine } from '../../lib/scale/workers/worker.ts';

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];

/** A logger whose lines are data that can leave the process, without secrets. */
export function lineLogger(least: LogLevel, take: (line: LogLine) => void, fields: object = {}): Logger {
  const at = (level: LogLine['level']) => (own: object, message: string) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    const all = own instanceof Error ? { ...fields, error: own } : { ...fields, ...own };
    take({ level, fields: plain(redact(all)), message: redactText(message) });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: more => lineLogger(least, take, { ...fields, ...more }),
  };
}

function plain(value: unknown): object {
  try {
    return JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)));
  } catch {
    return {};
  }
}
