import { type Key, type Op, repartitioned } from '../lib/index.ts';

/**
 * Brings the records of each key to the task that keeps its state, where a job's tasks are per-partition; as they are in a job of one
 * task.
 *
 *     in   -a1-b1-a2-B-----|      in task 0 of 2; a is at home in task 0, b in task 1
 *     out  ----------B-a1-a2-|    once the checkpoint of B is committed; b1 comes out in task 1
 *
 * Emits when the checkpoint of the task that a record came from is committed: records go through an internal topic, in the
 * transaction that is the checkpoint, so each `repartition` adds up to one checkpoint interval to the way of a record. Those of one
 * key from one task come in their order. Its watermark is the lowest of all tasks, and it completes when all of them have.
 * State: how far each task is, as a part of the position in the topic. `name` names the topic, `tidemark.<job>.<name>`, for the life
 * of the state, and is unique in a job.
 * Fails when a value is none that a snapshot could hold, or a native operator before it gives a value without a key.
 */
export function repartition<T, K extends Key>(name: string): Op<T, T, K> {
  return repartitioned<T, K>(name);
}
