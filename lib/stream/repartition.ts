import type { Observable } from 'rxjs';
import { JobDefinitionError } from '../errors.ts';
import { DataStream, type KeyOrNone, type Op } from './data-stream.ts';
import type { Key } from './elements.ts';
import { streamOf } from './from.ts';
import { describe, type WirableNode } from './node.ts';

/** Brings the records of each key to the task that has its state: through a channel where tasks are several, else as they are. */
export function repartitioned<T, K extends Key>(name: string): Op<T, T, K> {
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,100}$/.test(name)) {
    throw new JobDefinitionError(
      'repartition() takes a name of 1 to 100 letters, digits, ".", "_" or "-": it names the topic that records go through.',
    );
  }
  return ((source: Observable<T>) => {
    const input = streamOf(source, `repartition("${name}")`).node;
    if (!input.isKeyed) {
      throw new JobDefinitionError(
        `repartition("${name}") stands behind ${describe(input)}, which has no key: put keyBy(…) in front of it.`,
      );
    }
    const node: WirableNode = {
      kind: 'repartition',
      name,
      inputs: [input],
      isKeyed: true,
      sides: [],
      wire(wiring, out) {
        wiring.connect(input, wiring.surroundings.channel?.(node, out) ?? out);
      },
    };
    return new DataStream<T, KeyOrNone>(node);
  }) as Op<T, T, K>;
}
