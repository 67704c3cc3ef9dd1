import type { Observable } from 'rxjs';
import { DataStream, type KeyingOp, type KeyOrNone, type Op } from './data-stream.ts';
import type { Key } from './elements.ts';
import { streamOf } from './from.ts';
import { PassStage, type Scope, type Stage } from './stage.ts';

/** Sets the key of each record to `selector(value)`; the stage behind `keyBy`. */
export function rekey<T, K extends Key>(selector: (value: T) => K): KeyingOp<T, T, KeyOrNone, K> {
  return ((source: Observable<T>) => {
    const { node } = streamOf(source, 'keyBy');
    return new DataStream<T, K>({
      kind: 'key',
      inputs: [node],
      isKeyed: true,
      sides: [],
      wire(wiring, out) {
        wiring.connect(node, new KeyStage(wiring.scope, out, selector as (value: unknown) => Key));
      },
    });
  }) as Op<T, T, KeyOrNone> as KeyingOp<T, T, KeyOrNone, K>;
}

class KeyStage extends PassStage<unknown, unknown> {
  private readonly selector: (value: unknown) => Key;

  constructor(scope: Scope, out: Stage<unknown>, selector: (value: unknown) => Key) {
    super(scope, out);
    this.selector = selector;
  }

  next(value: unknown): void {
    const { scope } = this;
    const outer = scope.key;
    try {
      scope.key = this.selector(value);
    } catch (error) {
      scope.fail(error, { operator: 'keyBy' });
      return;
    }
    this.out.next(value);
    scope.key = outer;
  }
}
