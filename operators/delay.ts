import { type Duration, JobDefinitionError, mapState, type Op } from '../lib/index.ts';
import { emitHeld, type Held } from './timed/held.ts';
import { clockOf, type TimedOptions } from './timed/options.ts';
import { type Pending, timed } from './timed/timed.ts';
import { neededMs } from './windows/options.ts';

/** The queue of a key: its records have numbers, from `head` to `tail`, which is the next one. */
interface Queue extends Pending {
  readonly head: number;
  readonly tail: number;
}

/** Its `due` can be before that of the record before it, by event time: it goes out with that. */
interface Delayed<T> extends Held<T>, Pending {}

interface States<T> {
  readonly queue: ReturnType<typeof mapState<number, Delayed<T>>>;
}

/**
 * Emits each record `due` later, or everything from a date on: RxJS's `delay`, checkpointed, in order per key after `keyBy`.
 *
 *     in   -a-b-B-----c-|      5 ms; B is a checkpoint barrier: a and b are not lost in a crash behind it
 *     out  -----Ba-b----(c|)
 *
 * Emits when a record has waited for so long, or the date has come; what still waits when bounded input ends is emitted at once.
 * By the clock, which is the default, the output keeps its event time; by event time it has that at which it was due.
 * State: the records that wait, each stored by itself. Fails when one cannot be stored, or has no timestamp with `time: 'event'`.
 */
export function delay<T>(name: string, due: Duration | Date, options: TimedOptions = {}): Op<T, T> {
  const operator = `delay("${name}")`;
  const dueAt = dueAtOf(operator, due);
  const clock = clockOf(operator, options);
  return timed<T, Queue, T, States<T>>(name, clock, {
    states: { queue: mapState() },
    firesAtEnd: true,
    receive(pending, value, at, ctx) {
      const { queue } = ctx.states;
      const { timestamp } = ctx;
      const due = dueAt(at);
      if (pending) {
        queue.set(pending.tail, { value, timestamp, due });
        return { due: pending.due, head: pending.head, tail: pending.tail + 1 };
      }
      if (due <= at) {
        ctx.emit(value);
        return undefined;
      }
      queue.set(0, { value, timestamp, due });
      return { due, head: 0, tail: 1 };
    },
    fire({ head, tail }, at, ctx) {
      const { queue } = ctx.states;
      for (let next = head; next < tail; next++) {
        const delayed = queue.get(next) as Delayed<T>;
        if (delayed.due > at) return { due: delayed.due, head: next, tail };
        emitHeld(ctx, clock, delayed, at);
        queue.delete(next);
      }
      return undefined;
    },
  });
}

/** When a record is due that came at a time. */
function dueAtOf(operator: string, due: Duration | Date): (at: number) => number {
  if (!(due instanceof Date)) {
    const ms = neededMs(operator, 'due', due, 0);
    return at => at + ms;
  }
  const date = due.getTime();
  if (Number.isNaN(date)) throw new JobDefinitionError(`${operator}: due is an invalid date.`);
  return at => Math.max(at, date);
}
