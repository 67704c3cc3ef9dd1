import { JobDefinitionError } from '../errors.ts';
import { AlignedInputs } from './aligned-inputs.ts';
import { DataStream, isDataStream, type KeyOrNone } from './data-stream.ts';

/** One stream of the elements of several, with barriers aligned and the lowest watermark; the stage behind `union`. */
export function joinInputs<T, K extends KeyOrNone>(inputs: readonly DataStream<T, K>[]): DataStream<T, K> {
  if (inputs.length === 0) throw new JobDefinitionError('union() needs at least one stream.');
  if (!inputs.every(isDataStream)) {
    throw new JobDefinitionError('union() joins streams; make one of a plain Observable with from(observable).');
  }
  const nodes = inputs.map(input => input.node);
  return new DataStream<T, K>({
    kind: 'union',
    inputs: nodes,
    isKeyed: nodes.every(node => node.isKeyed),
    sides: [],
    wire(wiring, out) {
      const joined = new AlignedInputs(wiring.scope, nodes.length, wiring.surroundings.alignment, {
        next: (_input, value) => out.next(value),
        mark: mark => out.mark(mark),
        error: error => out.error(error),
        complete: () => out.complete(),
      });
      for (const [index, node] of nodes.entries()) wiring.connect(node, joined.input(index));
    },
  });
}
