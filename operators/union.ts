import { type DataStream, joinInputs, type KeyOrNone } from '../lib/index.ts';

/**
 * Joins streams into one with the elements of all: RxJS's `merge`, with barriers aligned and the lowest watermark.
 *
 *     a    -1---B-3---|
 *     b    ---2-----B-|
 *     out  -1-2-----B3|      3 waits until the barrier came on b too
 *
 * Emits when a record arrives on an input that no barrier holds back. State: none, as what is held back lies behind the barrier.
 * Fails when an input does.
 * Completes when every input has; an input that has ended is not waited for.
 */
export function union<S extends readonly DataStream<unknown, KeyOrNone>[]>(
  ...inputs: S
): DataStream<
  S[number] extends DataStream<infer T, KeyOrNone> ? T : never,
  S[number] extends DataStream<unknown, infer K> ? K : undefined
> {
  return joinInputs(inputs) as never;
}
