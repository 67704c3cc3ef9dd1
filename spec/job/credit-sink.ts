import type { Json, Sink, SinkWriter } from '../../lib/index.ts';

/** A sink that holds a credit for each value until the checkpoint that covers it is committed. */
export interface CreditSink<T> extends Sink<T> {
  readonly committed: readonly T[];
  /** Values that wait for their checkpoint. */
  readonly waiting: number;
  /** From now on nothing is given back: what holds the credits is no matter of checkpoints. */
  isStuck: boolean;
}

export function creditSink<T>(name = 'credits'): CreditSink<T> {
  const committed: T[] = [];
  let current: T[] = [];
  let lined: T[] = [];
  const sink = {
    kind: 'credits',
    name,
    guarantee: 'none',
    committed,
    isStuck: false,
    get waiting() {
      return current.length + lined.length;
    },
    open({ credits }): SinkWriter<T> {
      current = [];
      lined = [];
      return {
        restore() {},
        write(value) {
          current.push(value);
          credits.acquire(1);
        },
        barrier() {
          lined.push(...current);
          current = [];
        },
        flush: (): Json => null,
        commit() {
          committed.push(...lined);
          if (!sink.isStuck) credits.release(lined.length);
          lined = [];
        },
        abandon() {},
        close() {},
      };
    },
  } as CreditSink<T>;
  return sink;
}
