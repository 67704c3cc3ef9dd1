import { actor, type KeyOrNone, type MapState, mapState, type Op } from '../lib/index.ts';
import { wholeNumber } from './records/whole-number.ts';

/**
 * Emits records in arrays of `bufferSize`, a new one every `startBufferEvery`: RxJS's `bufferCount`, checkpointed; per key after `keyBy`.
 *
 *     in   -a-b-B-c-d-e-|       bufferSize is 3, B a checkpoint barrier
 *     out  -----B-p-----(q|)    p: [a, b, c], q: [d, e]
 *
 * A record is kept once, however many arrays it will be in.
 *
 * Emits when an array is full; when the input completes those that are not, the oldest first, for each key in order of the keys,
 * with the end of time as timestamp.
 * State: one entry for each record that an open array holds, which is frozen, and how many there were, for each key.
 * Fails when a record cannot be stored, such as an instance of a class: at the checkpoint. A size that is not a whole number from 1
 * is a `JobDefinitionError`, at the declaration.
 */
export function bufferCount<T>(name: string, bufferSize: number, startBufferEvery?: number | null): Op<T, T[]> {
  const operator = `bufferCount("${name}")`;
  const size = wholeNumber(operator, 'bufferSize', bufferSize, 1);
  const every = wholeNumber(operator, 'startBufferEvery', startBufferEvery ?? size, 1);
  return actor<T, number, T[], KeyOrNone, { records: ReturnType<typeof mapState<number, T>> }>(name, {
    update: 'return',
    states: { records: mapState<number, T>() },
    initial: () => 0,
    receive(index, value, ctx) {
      const { records } = ctx.states;
      const next = index + 1;
      if (index % every < size) records.set(index, value);
      const start = next - size;
      if (start >= 0 && start % every === 0) {
        ctx.emit(between(records, start, next));
        for (let i = start; i < Math.min(start + every, next); i++) records.delete(i);
      }
      // Nothing is open, and the next one begins an array: the key is as one that had no record.
      if (size <= every && next % every === 0) ctx.forget();
      return next;
    },
    onComplete(count, ctx) {
      const oldest = Math.max(0, Math.ceil((count - size + 1) / every) * every);
      for (let start = oldest; start < count; start += every) ctx.emit(between(ctx.states.records, start, count));
    },
  }) as Op<T, T[]>;
}

function between<T>(records: MapState<number, T>, start: number, end: number): T[] {
  const buffer: T[] = [];
  for (let i = start; i < end; i++) buffer.push(records.get(i) as T);
  return buffer;
}
