import { inspect, isDeepStrictEqual } from 'node:util';
import { TestScheduler } from 'rxjs/testing';
import type { DataStream } from '../stream/data-stream.ts';
import { Barrier, StreamRecord, Watermark } from '../stream/elements.ts';
import { type MarbleEvent, parseMarbles, record, watermark } from './marble-elements.ts';
import { MarbleJob, type MarbleJobOptions, type MarbleOutput, type MarbleStreams } from './marble-job.ts';
import type { Seen } from './probe.ts';

// biome-ignore lint/suspicious/noExplicitAny: letters stand for values of any type
export type MarbleInput = DataStream<any>;

export interface Expectation {
  /** Fails the test, showing both as marbles, unless the same elements came at the same times. */
  toBe(marbles: string, values?: Readonly<Record<string, unknown>>, error?: unknown): void;
}

/** What a marble test works with. */
export interface MarbleHelpers {
  readonly scheduler: TestScheduler;
  /**
   * Runs a job on one marble string, or on one for each named input: `B` takes a checkpoint, `X` kills the job and starts it
   * again from its last checkpoint (what was read since is read again), `S` stops it as SIGTERM does.
   */
  job<M extends string | Readonly<Record<string, string>>>(
    marbles: M,
    build: (inputs: M extends string ? MarbleInput : { readonly [name in keyof M]: MarbleInput }) => MarbleStreams,
    options?: MarbleJobOptions,
  ): MarbleJob;
  /** All that came out of a stream, barriers and watermarks included, replayed output too. */
  expectElements(job: MarbleJob, stream?: string): Expectation;
  /** What an exactly-once sink behind the stream made visible, at the time of the commit. */
  expectCommitted(job: MarbleJob, stream?: string): Expectation;
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
  const expectations: (() => void)[] = [];
  const expecting =
    (select: (output: MarbleOutput) => readonly Seen[]) =>
    (job: MarbleJob, stream?: string): Expectation => ({
      toBe(expected, values = {}, error) {
        // Parsed here: inside the run a character is 1 ms.
        const wanted = parseMarbles(expected, values, error).map(shownMarble);
        expectations.push(() => compare(select(job.output(stream)), expected, wanted));
      },
    });
  scheduler.run(() => {
    test({
      scheduler,
      job: (strings, build, options = {}) => new MarbleJob(scheduler, strings, build as never, options),
      expectElements: expecting(output => output.elements),
      expectCommitted: expecting(output => output.committed),
      record,
      watermark,
    });
    scheduler.flush();
  });
  for (const expectation of expectations) expectation();
}

interface Shown {
  readonly frame: number;
  readonly shown: unknown;
}

function shownMarble({ frame, what }: MarbleEvent): Shown {
  switch (what.kind) {
    case 'value':
      return { frame, shown: what.value };
    case 'watermark':
      return { frame, shown: new Watermark(what.timestamp) };
    case 'barrier':
      return { frame, shown: 'B' };
    case 'complete':
      return { frame, shown: '|' };
    case 'error':
      return { frame, shown: '#' };
    default:
      return { frame, shown: what.kind };
  }
}

function compare(seen: readonly Seen[], expected: string, wanted: readonly Shown[]): void {
  const last = seen.findLastIndex(({ element }) => element === 'complete');
  const actual = seen
    // The barrier of the final checkpoint follows the end and says nothing of its own.
    .filter(({ element }, i) => !(element instanceof Barrier && i > last && last >= 0))
    .map(({ frame, element }, i): Shown => ({ frame, shown: shownAs(element, wanted[i]?.shown) }));
  if (isDeepStrictEqual(actual, wanted)) return;
  const line = ({ frame, shown }: Shown): string =>
    `${String(frame).padStart(6)}  ${inspect(shown, { breakLength: 100 })}`;
  throw Object.assign(
    new Error(
      `Marbles differ.\nexpected ${expected}\n${wanted.map(line).join('\n') || '        (nothing)'}\n` +
        `but came\n${actual.map(line).join('\n') || '        (nothing)'}`,
    ),
    { actual: actual.map(line).join('\n'), expected: wanted.map(line).join('\n') },
  );
}

/** A record is compared with time and key only where the test names them. */
function shownAs(element: Seen['element'], wanted: unknown): unknown {
  if (element === 'complete') return '|';
  if (element instanceof Barrier) return 'B';
  if (element instanceof StreamRecord) return wanted instanceof StreamRecord ? element : element.value;
  return 'error' in element ? '#' : element;
}
