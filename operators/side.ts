import { type DataStream, isDataStream, JobDefinitionError, type Op, type Side } from '../lib/index.ts';

/**
 * Switches to the side output `tag` of the nearest actor upstream that declares it; the same as `stream.side(tag)`.
 *
 *     in   -a-b-B-c-|      the actor sends b to the side output
 *     out  ---b-B---|
 *
 * Emits when the actor sends something to the tag. State: none.
 * Fails when no actor upstream declares the tag: `JobDefinitionError`, at the declaration.
 */
export function side<V>(tag: Side<V>): Op<unknown, V> {
  return (source => {
    if (!isDataStream(source)) {
      throw new JobDefinitionError(`side("${tag.name}") reads a side output of an actor: a plain Observable has none.`);
    }
    return (source as DataStream<unknown>).side(tag);
  }) as Op<unknown, V>;
}
