import { type Key, type KeyingOp, type KeyOrNone, rekey } from '../lib/index.ts';

/**
 * Sets the key of each record to `selector(value)`: what follows keeps its state per key.
 *
 *     in   -a1-b1-a2-B-|
 *     out  -a1-b1-a2-B-|      with the keys a, b, a
 *
 * Emits when a record arrives. State: none.
 * Fails when `selector` throws, or answers what is no key (a string, number, bigint, boolean or a flat tuple of them).
 */
export function keyBy<T, const K extends Key>(selector: (value: T) => K): KeyingOp<T, T, KeyOrNone, K> {
  return rekey(selector);
}
