import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { createLogger, type LogLevel } from '../lib/observe/create-logger.ts';
import { LineReporter } from './line-reporter.ts';
import { LiveDisplay, type Output } from './live-display.ts';
import { LiveReporter } from './live-reporter.ts';
import type { Reporter } from './reporter.ts';
import type { Style } from './styled-line.ts';
import { textLogger } from './text-logger.ts';
import type { World } from './world.ts';

/**
 * How a running job is shown: live where stderr is a terminal, else as lines of text or, with `isJson`, of JSON. All of it
 * goes to stderr; stdout is the job's own.
 */
export function makeReporter(world: World, options: { readonly level: LogLevel; readonly isJson: boolean }): Reporter {
  const { stderr, stdout, clock, env } = world;
  const { level, isJson } = options;
  if (isJson) {
    return new LineReporter(
      createLogger({ level, destination: { write: line => void stderr.write(line) } }),
      clock,
      true,
    );
  }
  const write = (text: string): void => void stderr.write(text);
  const logger = textLogger({ level, write: line => write(`${line}\n`), now: clock.now });
  if (!stderr.isTTY || env.TERM === 'dumb' || env.CI) return new LineReporter(logger, clock, false);
  const screen = new LiveDisplay(stderr as WriteStream, stdout.isTTY ? [stdout as Output] : []);
  const paint = hasColours(world)
    ? (style: Style, text: string) => styleText(style, text, { validateStream: false })
    : (_: Style, text: string) => text;
  return new LiveReporter(logger, screen, write, () => ({ width: stderr.columns ?? 80, paint }), clock);
}

/** https://no-color.org */
function hasColours({ env }: World): boolean {
  return !env.NO_COLOR && env.FORCE_COLOR !== '0';
}
