import type { Logger } from 'tidemark';

/** A logger for measurements: only what must not be overlooked, on stderr. */
export const quiet: Logger = {
  debug() {},
  info() {},
  warn: (...message: unknown[]) => console.error(...message),
  error: (...message: unknown[]) => console.error(...message),
  child: () => quiet,
};
