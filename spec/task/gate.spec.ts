import fc from 'fast-check';
import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Stage } from '../../lib/stream/stage.ts';
import { Gate } from '../../lib/task/gate.ts';

interface Handled {
  readonly value: unknown;
  readonly timestamp: number;
  readonly key: unknown;
}

/** A gate, what it let in, and the failures that it told. */
function opened(onValue: (value: unknown, gate: Gate) => void = () => {}) {
  const handled: (Handled | string)[] = [];
  const failures: unknown[] = [];
  const gate = new Gate(asyncScheduler, (error, context) => failures.push([error, context]));
  const stage: Stage<unknown> = {
    next(value) {
      handled.push({ value, timestamp: gate.timestamp, key: gate.key });
      onValue(value, gate);
    },
    mark() {},
    error() {},
    complete() {
      handled.push({ value: 'end', timestamp: gate.timestamp, key: gate.key });
    },
  };
  const names = () => handled.map(entry => (typeof entry === 'string' ? entry : entry.value));
  return { gate, stage, handled, names, failures };
}

describe('Gate', () => {
  it('lets in what arrives while an element is handled after that element, in the order of arrival', () => {
    const { gate, stage, names } = opened(value => {
      if (value !== 'a') return;
      gate.next(stage, 'b', 1);
      gate.batch(stage, ['c', 'd'], [2, 3]);
      gate.next(stage, 'e', 4);
      expect(gate.isProcessing).toBe(true);
      expect(names()).toEqual(['a']);
    });
    gate.next(stage, 'a', 0);
    expect(names()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(gate.isProcessing).toBe(false);
  });

  it('lets nothing in between the records of a batch', () => {
    const order: unknown[] = [];
    const { gate, stage } = opened(value => {
      order.push(value);
      gate.between(() => order.push(`behind ${value}`));
    });
    gate.batch(stage, ['a', 'b'], undefined);
    expect(order).toEqual(['a', 'b', 'behind a', 'behind b']);
  });

  it('gives each element its own time and no key, whatever the one before it left', () => {
    const { gate, stage, handled } = opened((_value, gate) => {
      gate.key = 'left';
    });
    gate.next(stage, 'a', 7);
    gate.batch(stage, ['b', 'c'], [8, 9]);
    gate.batch(stage, ['d'], undefined);
    gate.enter(() => stage.next('e'));
    gate.next(stage, 'f', Number.NaN);
    gate.enter(() => gate.complete(stage));
    expect(handled).toEqual([
      { value: 'a', timestamp: 7, key: undefined },
      { value: 'b', timestamp: 8, key: undefined },
      { value: 'c', timestamp: 9, key: undefined },
      { value: 'd', timestamp: Number.NaN, key: undefined },
      { value: 'e', timestamp: Number.NaN, key: undefined },
      { value: 'f', timestamp: Number.NaN, key: undefined },
      { value: 'end', timestamp: Number.POSITIVE_INFINITY, key: undefined },
    ]);
    expect([gate.timestamp, gate.key]).toEqual([Number.NaN, undefined]);
  });

  it('gives what waited no time and key of the element that it waited for', () => {
    const { gate, stage, handled } = opened(value => {
      if (value !== 'a') return;
      gate.key = 'of a';
      gate.enter(() => stage.next('b'));
    });
    gate.next(stage, 'a', 7);
    expect(handled[1]).toEqual({ value: 'b', timestamp: Number.NaN, key: undefined });
  });

  it('tells the first failure at once and lets nothing in after it, not even what waits', () => {
    const { gate, stage, names, failures } = opened(value => {
      if (value !== 'a') return;
      gate.next(stage, 'waits', 0);
      gate.fail('first', { operator: 'x' });
      expect(failures).toEqual([['first', { operator: 'x' }]]);
      gate.fail('second');
      gate.next(stage, 'later', 0);
    });
    gate.next(stage, 'a', 0);
    gate.next(stage, 'b', 0);
    gate.batch(stage, ['c'], undefined);
    gate.between(() => stage.next('d'));
    gate.fail('third');
    expect(names()).toEqual(['a']);
    expect(failures).toEqual([['first', { operator: 'x' }]]);
  });

  it('stops a batch where it fails', () => {
    const { gate, stage, names } = opened(value => {
      if (value === 'b') gate.fail('boom');
    });
    gate.batch(stage, ['a', 'b', 'c'], undefined);
    expect(names()).toEqual(['a', 'b']);
  });

  it('takes what a stage throws for a failure, and is not left busy', () => {
    const { gate, stage, failures } = opened(() => {
      throw 'boom';
    });
    gate.next(stage, 'a', 0);
    expect(failures).toEqual([['boom', {}]]);
    expect(gate.isProcessing).toBe(false);
  });

  it('lets nothing in once it is closed, and tells no failure', () => {
    const { gate, stage, names, failures } = opened(() => gate.close());
    gate.batch(stage, ['a', 'b'], undefined);
    gate.next(stage, 'c', 0);
    gate.fail('late');
    expect(names()).toEqual(['a']);
    expect(failures).toEqual([]);
  });

  it('runs what is to come afterwards outside itself, once nothing waits', () => {
    const order: string[] = [];
    const { gate, stage } = opened(value => {
      order.push(`${value}`);
      if (value !== 'a') return;
      gate.afterwards(() => {
        order.push(`afterwards, ${gate.isProcessing ? 'inside' : 'outside'}`);
        gate.afterwards(() => order.push('at once'));
        gate.next(stage, 'c', 0);
      });
      gate.afterwards(() => order.push('last'));
      gate.next(stage, 'b', 0);
    });
    gate.next(stage, 'a', 0);
    expect(order).toEqual(['a', 'b', 'afterwards, outside', 'at once', 'c', 'last']);
    gate.afterwards(() => order.push('idle'));
    expect(order.at(-1)).toBe('idle');
  });

  it('runs nothing afterwards once it has failed or is closed', () => {
    for (const end of ['fail', 'close'] as const) {
      const ran: string[] = [];
      const { gate, stage } = opened(() => {
        gate.afterwards(() => ran.push('behind'));
        gate[end]('boom');
      });
      gate.next(stage, 'a', 0);
      gate.afterwards(() => ran.push('idle'));
      expect(ran).toEqual([]);
    }
  });

  it('counts elements when they are handled: one that waits behind a barrier is not before it', () => {
    let atBarrier: number | undefined;
    const { gate, stage } = opened(value => {
      if (value !== 'a') return;
      gate.between(() => {
        atBarrier = gate.entered;
      });
      gate.next(stage, 'b', 0);
      gate.enter(() => {});
    });
    gate.next(stage, 'a', 0);
    expect(atBarrier).toBe(1);
    expect(gate.entered).toBe(3);
    gate.between(() => {});
    expect(gate.entered).toBe(3);
    gate.batch(stage, ['c', 'd'], undefined);
    expect(gate.entered).toBe(4);
  });

  it('handles every element once, whole, and in the order of arrival, however elements cause others', () => {
    // Each element causes the elements that are listed under it while it is handled.
    const tree: fc.Memo<Tree> = fc.memo(depth =>
      fc.record<Tree>({
        causes: depth <= 1 ? fc.constant([]) : fc.array(tree(depth - 1), { maxLength: 3 }),
        isNext: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(tree(4), { maxLength: 4 }), roots => {
        const order: string[] = [];
        const arrivals: string[] = [];
        let depth = 0;
        const { gate } = opened();
        const enter = ({ causes, isNext }: Tree, name: string): void => {
          arrivals.push(name);
          const handle = (): void => {
            expect(++depth).toBe(1);
            order.push(name);
            for (const [i, cause] of causes.entries()) enter(cause, `${name}.${i}`);
            depth--;
          };
          if (isNext) gate.next({ next: handle, mark() {}, error() {}, complete() {} }, undefined, 0);
          else gate.enter(handle);
        };
        for (const [i, root] of roots.entries()) enter(root, String(i));
        expect(order).toEqual(arrivals);
        expect(gate.entered).toBe(arrivals.length);
      }),
    );
  });
});

interface Tree {
  readonly causes: readonly Tree[];
  readonly isNext: boolean;
}
