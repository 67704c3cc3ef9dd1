import { type Key, type Op, repartitioned } from '../lib/index.ts';

/**
 * Brings the records of each key to the task that keeps its state, where a job's tasks are per-partition.
 *
 * ```
 * task 0   a1 b1 ·· ·· B          (key: the letter; a belongs to task 0, b to task 1)
 * task 1   ·· ·· a2 b2 B
 * out 0    ·· ·· ·· ·· B  a1 a2
 * out 1    ·· ·· ·· ·· B  b1 b2
 * out
 * ```
 *
 * *Emits when* the checkpoint of the task that a record came from is committed: records go through an internal topic, in the
 * transaction that is the checkpoint, so each `repartition` adds up to one checkpoint interval to the way of a record. Those of one key
 * from one task come in their order. In a job of one task they pass at once, as they are.
 *
 * *State:* how far each task is that writes into the topic, as a part of the position in it: its watermark is the lowest of theirs, and
 * it completes when all have.
 *
 * *Fails when* a value is not one that a snapshot could hold (`UnsupportedStateError`), or when it stands behind a stream without a key.
 *
 * @param name names the topic, `tidemark.<job>.<name>`, for the life of the state; unique in a job
 */
export function repartition<T, K extends Key>(name: string): Op<T, T, K> {
  return repartitioned<T, K>(name);
}
