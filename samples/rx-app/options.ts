import { parseArgs } from 'node:util';
import { type Duration, parseDuration } from 'tidemark';
import { z } from 'zod';
import { wholeNumber } from '../parameters.ts';

const duration = z
  .string()
  .refine(text => (parseDuration(text) ?? 0) > 0, { error: 'give a duration, such as 5s' })
  .transform(text => text as Duration);

const options = z.object({
  /** Where the app listens; with port 0 the system chooses one. */
  host: z.string().default('127.0.0.1'),
  port: wholeNumber(0).default(3000),
  /** Folder of the checkpoints. */
  store: z.string().default('out/rx-app'),
  /** Sensors that are simulated, which ones, and the ms between two readings of one. */
  sensors: wholeNumber(0).default(6),
  seed: wholeNumber().default(1),
  every: wholeNumber(1).default(500),
  /** How long nothing comes of a sensor before an alert is raised. */
  'silent-after': duration.default('5s'),
  /** Time from one checkpoint to the next; with `off` there is only the final one. */
  checkpoint: z.literal('off').or(duration).default('1s'),
});

export type Options = z.output<typeof options>;

/** What is given on the command line, or else the default. Throws an `Error` that says what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const names = Object.keys(options.shape);
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map(name => [name, { type: 'string' as const }])),
  });
  const parsed = options.safeParse(values);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return parsed.data;
}
