import { TestScheduler } from 'rxjs/testing';
import type { DataStream } from '../stream/data-stream.ts';
import { compareMarbles, type FailureLike } from './compare-marbles.ts';
import { durationOf, parseMarbles, record, watermark } from './marble-elements.ts';
import { MarbleJob, type MarbleJobOptions, type MarbleOutput, type MarbleStreams } from './marble-job.ts';
import type { Seen } from './probe.ts';

// biome-ignore lint/suspicious/noExplicitAny: letters stand for values of any type
export type MarbleInput = DataStream<any>;

export interface Expectation {
  /**
   * Fails the test, showing both sides element by element, unless the same elements came at the same times. A record is compared
   * with time and key where `values` has a `record(…)` for its letter, else by its value, which may be a matcher. `#` is the
   * failure of the job; `error` says which one.
   */
  toBe(marbles: string, values?: Readonly<Record<string, unknown>>, error?: FailureLike): void;
}

/** What a marble test works with. */
export interface MarbleHelpers {
  readonly scheduler: TestScheduler;
  /**
   * Runs a job on one marble string, or on one for each named input: `B` takes a checkpoint, `X` kills the job and starts it
   * again from its last checkpoint (what was read since is read again), `S` stops it as SIGTERM does. A job that has not ended
   * by the end of the test's longest string is cancelled then.
   */
  job<M extends string | Readonly<Record<string, string>>>(
    marbles: M,
    build: (inputs: M extends string ? MarbleInput : { readonly [name in keyof M]: MarbleInput }) => MarbleStreams,
    options?: MarbleJobOptions,
  ): MarbleJob;
  /**
   * All that came out of a stream, barriers and watermarks included, replayed output too. Streams have the names, or the
   * positions in the list, under which they were returned; the first one is meant when none is named.
   */
  expectElements(job: MarbleJob, stream?: string | number): Expectation;
  /** What an exactly-once sink behind the stream made visible, at the time of the commit. */
  expectCommitted(job: MarbleJob, stream?: string | number): Expectation;
  readonly record: typeof record;
  readonly watermark: typeof watermark;
}

/**
 * Runs a test in virtual time, checkpoints, crashes and recovery included; one character is one millisecond.
 *
 *     in        -a-b-B-c-X-d-|      X: killed, restored at B, c is read again
 *     elements  -1-2-B-3-3-4-|      scan("count", n => n + 1, 0)
 */
export function marbles(test: (helpers: MarbleHelpers) => void): void {
  const scheduler = new TestScheduler(() => {});
  const jobs: MarbleJob[] = [];
  const expectations: (() => void)[] = [];
  let horizon = 0;
  const expecting =
    (select: (output: MarbleOutput) => readonly Seen[]) =>
    (job: MarbleJob, stream?: string | number): Expectation => ({
      toBe(expected, values = {}, error) {
        // Parsed here: inside the run a character is 1 ms.
        const wanted = parseMarbles(expected, values, undefined, 'expected');
        horizon = Math.max(horizon, durationOf(expected));
        expectations.push(() => compareMarbles(select(job.output(stream)), expected, wanted, error));
      },
    });
  scheduler.run(() => {
    test({
      scheduler,
      job: (strings, build, options = {}) => {
        const job = new MarbleJob(scheduler, strings, build as never, options);
        jobs.push(job);
        horizon = Math.max(horizon, job.duration);
        return job;
      },
      expectElements: expecting(output => output.elements),
      expectCommitted: expecting(output => output.committed),
      record,
      watermark,
    });
    // A job without end would let virtual time run for ever.
    scheduler.maxFrames = Math.max(horizon, ...scheduler.actions.map(({ delay }) => delay));
    scheduler.flush();
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    for (const job of jobs) void job.handle?.cancel();
    scheduler.flush();
  });
  for (const expectation of expectations) expectation();
}
