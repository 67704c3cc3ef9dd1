import { Observable, type Operator } from 'rxjs';
import { GroupInput } from './group-input.ts';
import { NativeGroup, type NativeOperator } from './native-group.ts';
import { describe, type WirableNode } from './node.ts';

interface NativeNode extends WirableNode {
  readonly apply: NativeOperator;
}

/** What RxJS's own `lift` makes. */
export function lifted(input: Observable<unknown>, operator: Operator<unknown, unknown>): Observable<unknown> {
  if (input instanceof GroupInput) return input.lift(operator);
  const output = new Observable<unknown>();
  output.source = input;
  output.operator = operator;
  return output;
}

/** One native operator; consecutive ones that nobody else reads are wired as one group. */
export function nativeNode(input: WirableNode, apply: NativeOperator): NativeNode {
  const node: NativeNode = {
    kind: 'native',
    inputs: [input],
    isKeyed: input.isKeyed,
    sides: [],
    apply,
    wire(wiring, out, id) {
      const operators = [apply];
      let base = input;
      while (isNative(base) && wiring.hasOneConsumer(base)) {
        operators.unshift(base.apply);
        base = base.inputs[0] as WirableNode;
      }
      const group = new NativeGroup(
        wiring.scope,
        out,
        `${operators.length === 1 ? 'A native operator' : `One of the ${operators.length} native operators`} after ${describe(base)}`,
        () => wiring.surroundings.finished(id),
      );
      if (wiring.surroundings.wasFinished(id)) group.finish();
      else group.wire(operators);
      wiring.onClose(() => group.close());
      if (group.isCompleted) {
        const { scope } = wiring;
        wiring.onOpen(() => {
          scope.timestamp = Number.POSITIVE_INFINITY;
          scope.key = undefined;
          out.complete();
        });
      }
      wiring.connect(base, group);
    },
  };
  return node;
}

function isNative(node: WirableNode): node is NativeNode {
  return 'apply' in node;
}
