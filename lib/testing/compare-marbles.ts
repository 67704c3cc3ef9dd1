import { inspect, isDeepStrictEqual } from 'node:util';
import { messageOf } from '../errors.ts';
import { Barrier, StreamRecord, Watermark } from '../stream/elements.ts';
import type { MarbleEvent } from './marble-elements.ts';
import type { Seen } from './probe.ts';

/** A matcher of a test library, such as Vitest's and Jest's `expect.objectContaining(…)`. */
export interface Matcher {
  asymmetricMatch(actual: unknown): boolean;
}

/** What is expected of a failure: what its message contains, a pattern for it, an error whose message it contains, a matcher. */
export type FailureLike = string | RegExp | Error | Matcher;

/** A mark or the end, which no value equals. */
class Sign {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
const barrier = new Sign('B');
const end = new Sign('|');

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
      return { frame, shown: barrier };
    case 'complete':
      return { frame, shown: end };
    case 'error':
      return { frame, shown: new Failure('') };
    default:
      return { frame, shown: new Sign(what.kind) };
  }
}

/** Throws, showing both sides element by element, unless what was seen is what the marble string `expected` stands for. */
export function compareMarbles(
  seen: readonly Seen[],
  expected: string,
  events: readonly MarbleEvent[],
  error: FailureLike | undefined,
): void {
  const wanted = events.map(shownMarble);
  const last = seen.findLastIndex(({ element }) => element === 'complete');
  const actual = seen
    // The barrier of the final checkpoint follows the end and says nothing of its own.
    .filter(({ element }, i) => !(element instanceof Barrier && i > last && last >= 0))
    .map(({ frame, element }, i): Shown => ({ frame, shown: shownAs(element, wanted[i]?.shown, error) }));
  if (isDeepStrictEqual(actual, wanted)) return;
  const [wantedLines, actualLines] = [linesOf(wanted, actual, error), linesOf(actual, wanted)];
  throw Object.assign(
    new Error(`Marbles differ.\nexpected ${expected}\n${wantedLines}\nbut came\n${actualLines}`),
    // Test runners show the difference of these two.
    { actual: actualLines, expected: wantedLines },
  );
}

/** One line an element; those that the other side does not have in the same place begin with '>'. */
function linesOf(shown: readonly Shown[], other: readonly Shown[], error?: FailureLike): string {
  const line = ({ frame, shown: what }: Shown, i: number): string => {
    const mark = isDeepStrictEqual(shown[i], other[i]) ? ' ' : '>';
    return `${mark}${String(frame).padStart(6)}  ${textOfShown(what, error)}`;
  };
  return shown.map(line).join('\n') || '         (nothing)';
}

function textOfShown(shown: unknown, error: FailureLike | undefined): string {
  if (shown instanceof Sign) return shown.text;
  if (shown instanceof Failure) return `# ${shown.message || textOf(error)}`.trimEnd();
  return inspect(shown, { breakLength: 100 });
}

/** A record is compared with time and key only where the test names them, a failure with its message only where it does. */
function shownAs(element: Seen['element'], wanted: unknown, error: FailureLike | undefined): unknown {
  if (element === 'complete') return end;
  if (element instanceof Barrier) return barrier;
  if (element instanceof StreamRecord) {
    const shown = wanted instanceof StreamRecord ? element : element.value;
    return isMatcher(wanted) && wanted.asymmetricMatch(shown) ? wanted : shown;
  }
  if (!('error' in element)) return element;
  return new Failure(wanted instanceof Failure && isLike(element.error, error) ? '' : messageOf(element.error));
}

function isLike(actual: unknown, wanted: FailureLike | undefined): boolean {
  if (isMatcher(wanted)) return wanted.asymmetricMatch(actual);
  return wanted instanceof RegExp ? wanted.test(messageOf(actual)) : messageOf(actual).includes(textOf(wanted));
}

function textOf(wanted: FailureLike | undefined): string {
  if (wanted instanceof Error) return wanted.message;
  return isMatcher(wanted) ? inspect(wanted) : `${wanted ?? ''}`;
}

function isMatcher(wanted: unknown): wanted is Matcher {
  return typeof (wanted as Partial<Matcher> | null | undefined)?.asymmetricMatch === 'function';
}

/** How a job ended; without a message where it does not matter. */
class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}
