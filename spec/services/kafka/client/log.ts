import { inspect } from 'node:util';
import type { Logger } from '../../../../lib/index.ts';

/** A logger that keeps what was said, as text. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];

  debug(fields: object, message: string): void {
    this.lines.push(`${message} ${inspect(fields, { depth: 10, showHidden: true })}`);
  }

  info(fields: object, message: string): void {
    this.debug(fields, message);
  }

  warn(fields: object, message: string): void {
    this.debug(fields, message);
  }

  error(fields: object, message: string): void {
    this.debug(fields, message);
  }

  child(): Logger {
    return this;
  }
}
