import { type DestinationStream, destination, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import type { Logger } from './logger.ts';
import { redact, redactText } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  /** Least level that is written; 'info' unless set. */
  readonly level?: LogLevel;
  /** Takes one JSON line at a time; stderr unless set. */
  readonly destination?: DestinationStream;
  /** In every line. */
  readonly fields?: object;
}

/** A logger that writes one JSON object a line (level, time, pid, fields, msg) through pino, without secrets. */
export function createLogger({ level = 'info', destination: target, fields = {} }: LoggerOptions = {}): Logger {
  const base = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous: the lines before a crash are those that somebody will look for.
  const logger = pino(base, target ?? destination({ dest: 2, sync: true }));
  return redacting(logger.child(redact(fields) as object));
}

/** Redacts before pino sees anything: its own `redact` knows paths only, not names at any depth. */
function redacting(logger: PinoLogger): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](redact(fields), redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => redacting(logger.child(redact(fields) as object)),
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
