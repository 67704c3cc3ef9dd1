import type { Observable } from 'rxjs';
import { NotRunningError } from '../errors.ts';
import type { Side } from '../job/handle.ts';
import type { Sink } from '../task/sink.ts';
import { building, DataStream, isDataStream, type KeyOrNone, type Op } from './data-stream.ts';
import { streamOf } from './from.ts';
import { runningGroup } from './native-group.ts';
import type { WirableNode } from './node.ts';

/** The node of a sink, or of an output that the application reads with `handle.output(tag)`. */
export interface SinkNode extends WirableNode {
  readonly target: Sink<unknown> | Side<unknown>;
}

/** Whether `to` was given a connector's sink rather than a tag. */
export function isSink(target: Sink<unknown> | Side<unknown>): target is Sink<unknown> {
  return 'open' in target;
}

/** Writes a stream to a sink, or to a tag that `handle.output(tag)` reads, and passes its values on. */
export function endIn<T>(target: Sink<T> | Side<T>): Op<T, T> {
  return ((source: Observable<T>) => {
    if (!isDataStream(source) && building.job === undefined && runningGroup() === null) {
      throw new NotRunningError('to() writes from a running job: declare it inside job(name, …) and start that.');
    }
    const input = streamOf(source, 'to()').node;
    const node: SinkNode = {
      kind: 'sink',
      name: isSink(target as Sink<unknown>) ? target.name : `output:${target.name}`,
      inputs: [input],
      isKeyed: input.isKeyed,
      sides: [],
      target: target as Sink<unknown> | Side<unknown>,
      wire(wiring, out) {
        wiring.connect(input, wiring.surroundings.sink(node, out));
      },
    };
    return new DataStream<T, KeyOrNone>(node);
  }) as Op<T, T>;
}
