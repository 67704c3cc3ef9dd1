import { z } from 'zod';
import { type Duration, parseDuration } from '../duration.ts';
import { didYouMean } from './did-you-mean.ts';

// Every field's error is the text of what it accepts; `settingsProblems` puts path and given value in front of it.

/** Node's timers turn anything longer into 1 ms. */
const longestMs = 2 ** 31 - 1;
const forms = 'a duration of milliseconds or a text such as "250ms", "10s", "5m", "2h" or "1d"';

interface DurationRange {
  /** Whether 0 is accepted. */
  readonly zero?: boolean;
}

function durationIn(given: unknown, { zero = false }: DurationRange): number | undefined {
  const ms = parseDuration(given);
  return ms === undefined || ms > longestMs || (ms === 0 && !zero) ? undefined : ms;
}

const accepts = ({ zero }: DurationRange): string => `${forms}, ${zero ? '' : 'longer than 0 and '}at most 24 days`;

/** A `Duration`, resolved to milliseconds. */
export function duration(range: DurationRange = {}) {
  return z
    .custom<Duration>(given => durationIn(given, range) !== undefined, { error: accepts(range) })
    .transform(given => durationIn(given, range) ?? 0);
}

/** A `Duration`, resolved to milliseconds, or `'off'`. */
export function durationOrOff(range: DurationRange = {}) {
  return z
    .custom<Duration | 'off'>(given => given === 'off' || durationIn(given, range) !== undefined, {
      error: `"off" or ${accepts(range)}`,
    })
    .transform(given => (given === 'off' ? given : (durationIn(given, range) ?? 0)));
}

export function wholeNumber(min: number) {
  const error = `a whole number of at least ${min}`;
  return z.int({ error }).min(min, { error });
}

export function numberBetween(min: number, max: number) {
  const error = max === Number.POSITIVE_INFINITY ? `a number of at least ${min}` : `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

export function choice<const C extends readonly [string, ...string[]]>(...choices: C) {
  return z.enum(choices, { error: choices.map(name => `"${name}"`).join(' or ') });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** A name that is part of keys and paths in a store. */
export function name() {
  const error = 'a name of 1 to 100 letters, digits, ".", "_" or "-", which begins with a letter or digit';
  return z.string({ error }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error });
}

/** An object that settings only pass on; checked by the methods that it must have. */
export function objectWith<T>(what: string, methods: readonly (keyof T & string)[]) {
  const has = (given: unknown): boolean =>
    typeof given === 'object' &&
    given !== null &&
    methods.every(method => typeof (given as Record<string, unknown>)[method] === 'function');
  return z.custom<T>(has, { error: `${what}: an object with the methods ${methods.join(', ')}` });
}

export function functionOf<T>(what: string) {
  return z.custom<T>(given => typeof given === 'function', { error: what });
}

/** An object with exactly these fields; a key that is none of them is refused, with the nearest one as a suggestion. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape);
  const error: z.core.$ZodErrorMap = issue => {
    if (issue.code !== 'unrecognized_keys') return `an object with ${known.join(', ')}`;
    const keys = (issue as z.core.$ZodIssueUnrecognizedKeys).keys;
    return keys.map(key => unknownKey(key, known)).join('\n');
  };
  return z.strictObject(shape, { error });
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = didYouMean(key, known);
  return `"${key}" is not a setting here; ${near ? `did you mean "${near}"?` : `known are ${known.join(', ')}`}`;
}
