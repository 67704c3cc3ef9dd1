import { endIn, type Op, type Side, type Sink } from '../lib/index.ts';

/**
 * Writes each value to a connector's sink, or to a tag that the application reads with `handle.output(tag)`.
 *
 *     in   -a-b-B-c-|
 *     out  -a-b-B-c-|      the sink makes a and b visible when the checkpoint of B is committed
 *
 * Emits when a record arrives, what it was given: several sinks can follow one another. State: the sink's handle, in the manifest.
 * Fails when the sink does.
 */
export function to<T>(target: Sink<T> | Side<T>): Op<T, T> {
  return endIn(target);
}
