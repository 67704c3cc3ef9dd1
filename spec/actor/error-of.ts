import type { TidemarkError } from '../../lib/errors.ts';
import {
  type MarbleInput,
  type MarbleJob,
  type MarbleJobOptions,
  type MarbleStreams,
  marbles,
} from '../../lib/testing/index.ts';

/** The error that a test job ends with. */
export function errorOf(
  input: string,
  build: (stream: MarbleInput) => MarbleStreams,
  options: MarbleJobOptions = {},
): TidemarkError | undefined {
  let run: MarbleJob | undefined;
  marbles(({ job }) => {
    run = job(input, build, options);
  });
  return run?.handle?.status.error;
}
