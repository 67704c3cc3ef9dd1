import { TestScheduler } from 'rxjs/testing';
import { Barrier, StreamRecord, Watermark } from '../stream/elements.ts';

/** Asks for a checkpoint, as `B` does. */
export const checkpointMarker = Symbol('checkpoint');
/** Kills the task, which comes back from its last committed checkpoint, as `X` does. */
export const crashMarker = Symbol('crash');
/** Asks the job to stop with a final checkpoint, as SIGTERM and `S` do. */
export const stopMarker = Symbol('stop');

/** What one character of an input or expected marble string stands for. */
export interface MarbleEvent {
  /** Virtual time in ms. */
  readonly frame: number;
  readonly what:
    | { readonly kind: 'value'; readonly value: unknown }
    | { readonly kind: 'watermark'; readonly timestamp: number }
    | { readonly kind: 'barrier' | 'crash' | 'stop' | 'complete' }
    | { readonly kind: 'error'; readonly error: unknown };
}

/** Letters that stand for marks of ours, in what goes in and in what is expected. */
const reservedLetters = {
  input: { B: checkpointMarker, X: crashMarker, S: stopMarker },
  expected: { B: checkpointMarker },
} as const;

/** Parses a marble string; a letter that `values` has stands for that, also where it would be a mark of ours. */
export function parseMarbles(
  marbles: string,
  values: Readonly<Record<string, unknown>>,
  error: unknown,
  side: keyof typeof reservedLetters,
): MarbleEvent[] {
  const known: Record<string, unknown> = { ...reservedLetters[side], ...values };
  const messages = TestScheduler.parseMarbles(marbles, undefined, error, undefined, true);
  return messages.map(({ frame, notification }): MarbleEvent => {
    if (notification.kind === 'C') return { frame, what: { kind: 'complete' } };
    if (notification.kind === 'E') return { frame, what: { kind: 'error', error: notification.error } };
    const letter = notification.value as string;
    return { frame, what: whatOf(letter in known ? known[letter] : letter) };
  });
}

/** The virtual time in ms that a marble string takes, what follows its last element included. */
export function durationOf(marbles: string): number {
  const ended = TestScheduler.parseMarbles(
    `${marbles.replaceAll(/[|#]/g, '-')}|`,
    undefined,
    undefined,
    undefined,
    true,
  );
  return ended.at(-1)?.frame ?? 0;
}

function whatOf(value: unknown): MarbleEvent['what'] {
  if (value === checkpointMarker || value instanceof Barrier) return { kind: 'barrier' };
  if (value === crashMarker) return { kind: 'crash' };
  if (value === stopMarker) return { kind: 'stop' };
  if (value instanceof Watermark) return { kind: 'watermark', timestamp: value.timestamp };
  return { kind: 'value', value };
}

/** A value with its event time in ms (and, where output is expected, its key). */
export function record<T>(value: T, timestamp?: number, key?: StreamRecord<T>['key']): StreamRecord<T> {
  return new StreamRecord(value, timestamp, key);
}

/** A watermark for the `values` of a marble string. */
export function watermark(timestamp: number): Watermark {
  return new Watermark(timestamp);
}
