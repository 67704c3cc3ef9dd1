import { type Duration, type Key, type Op, TimeoutError } from '../lib/index.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

/** What `with` is told of a silence. */
export interface Silence<T> {
  /** `undefined` where the stream has no key. */
  readonly key: Key | undefined;
  readonly lastValue: T;
}

export interface TimeoutOptions<T, R> extends TimedOptions {
  /** What is emitted instead of failing, once for each silence: a value, or a function that makes it. */
  readonly with?: R | ((silence: Silence<T>) => R);
}

interface Waiting<T> extends Pending {
  /** Where `with` is a function, which is told of it. */
  readonly last?: { readonly value: T };
}

/**
 * Passes records on, and fails when none came for `each` after one: RxJS's `timeout`, checkpointed, per key after `keyBy`.
 *
 *     in   -a-b-B---c-|      4 ms; B is a checkpoint barrier: the silence is noticed behind a crash, too
 *     out  -a-b-B-z-c-|      with: 'z', which is emitted in its place
 *
 * It begins to wait with the first record of a key; one that never has any is not missed. By the clock a restart begins to wait
 * anew: for how long the job was down says nothing about its input.
 *
 * Emits when a record comes, and with `with` once when none came for so long. The end of the input ends the wait.
 * State: since when each key is silent, and its last record where `with` is a function; until a silence was answered.
 * Fails when a key was silent for so long (`TimeoutError`, which names it) unless there is `with`, when that throws, or when with
 * `time: 'event'` a record has no timestamp.
 */
export function timeout<T, R = T>(name: string, each: Duration, options: TimeoutOptions<T, R> = {}): Op<T, T | R> {
  const operator = `timeout("${name}")`;
  const ms = neededMs(operator, 'each', each, 1);
  const clock = clockOf(operator, options, ['with']);
  const answer = options.with;
  /** When a running actor handled something for the first time; by its context, of which it has one. */
  const starts = new WeakMap<object, number>();

  const startOf = (ctx: object, at: number): number => {
    let start = starts.get(ctx);
    if (start === undefined) {
      start = at;
      starts.set(ctx, start);
    }
    return start;
  };

  return timed<T, Waiting<T>, T | R>(name, clock, {
    firesAtEnd: false,
    receive(pending, value, at, ctx) {
      if (clock === 'processing') startOf(ctx, at);
      ctx.emit(value);
      const due = Math.max(pending?.due ?? at, at + ms);
      return typeof answer === 'function' ? { due, last: { value } } : { due };
    },
    fire(pending, at, ctx) {
      if (clock === 'processing') {
        const notBefore = startOf(ctx, at) + ms;
        if (at < notBefore) return { ...pending, due: notBefore };
      }
      if (answer === undefined) throw silent(operator, name, ms, ctx.key);
      const made =
        typeof answer === 'function'
          ? (answer as (silence: Silence<T>) => R)({ key: ctx.key, lastValue: pending.last?.value as T })
          : (answer as R);
      ctx.emit(made, pending.due);
      return undefined;
    },
  });
}

function silent(operator: string, name: string, ms: number, key: Key | undefined): TimeoutError {
  const shown = JSON.stringify(key, (_, part) => (typeof part === 'bigint' ? String(part) : part));
  const forKey = key === undefined ? '' : ` for key ${shown}`;
  return new TimeoutError(
    `${operator}: nothing came${forKey} for ${ms} ms after a record. Give it longer, or what to emit instead (with: …).`,
    { context: { operator: name, key } },
  );
}
