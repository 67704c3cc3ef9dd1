import type { Json, Sink, SinkWriter } from '../../lib/index.ts';

/** What a `memorySink` shows; the object outlives restarts of the job. */
export interface MemorySink<T> extends Sink<T> {
  /** What committed checkpoints made visible, in order. */
  readonly committed: readonly T[];
  /** All that was written, also what a crash made the job write again. */
  readonly written: readonly T[];
}

export interface MemorySinkOptions {
  /** Default `memory`. */
  readonly name?: string;
}

/** Keeps what it is given in arrays, exactly once: a value becomes visible when the checkpoint that covers it is committed. */
export function memorySink<T>({ name = 'memory' }: MemorySinkOptions = {}): MemorySink<T> {
  const committed: T[] = [];
  const written: T[] = [];
  let lastApplied = 0;
  return {
    kind: 'memory',
    name,
    guarantee: 'exactly-once',
    committed,
    written,
    open(): SinkWriter<T> {
      let current: T[] = [];
      const lines = new Map<number, T[]>();
      const apply = (id: number, values: readonly T[]): void => {
        if (id <= lastApplied) return;
        lastApplied = id;
        committed.push(...values);
      };
      return {
        restore(from) {
          if (from) apply(from.id, from.handle as T[]);
        },
        write(value) {
          written.push(value);
          current.push(value);
        },
        barrier(id) {
          lines.set(id, current);
          current = [];
        },
        // The handle is the values themselves: what a crash between commit and apply left out, the restore applies.
        flush: id => (lines.get(id) ?? []) as Json,
        commit(id, handle) {
          lines.delete(id);
          apply(id, handle as T[]);
        },
        abandon(id) {
          current = [...(lines.get(id) ?? []), ...current];
          lines.delete(id);
        },
        close() {},
      };
    },
  };
}
