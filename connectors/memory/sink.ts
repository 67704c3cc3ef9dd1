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
  /** What checkpoints cover and did not make visible yet, by handle: it outlives restarts, as a server would. */
  const prepared = new Map<string, T[]>();
  let last = { token: 0, id: 0 };

  const apply = (token: number, id: number, handle: Json): void => {
    if (token < last.token || (token === last.token && id <= last.id)) return;
    last = { token, id };
    // One by one: a call takes no more arguments than the stack holds.
    for (const value of prepared.get(handle as string) ?? []) committed.push(value);
    prepared.clear();
  };

  return {
    kind: 'memory',
    name,
    guarantee: 'exactly-once',
    committed,
    written,
    open({ token }): SinkWriter<T> {
      let current: T[] = [];
      const lines = new Map<number, T[]>();
      return {
        restore(from) {
          if (from) apply(from.token, from.id, from.handle);
          prepared.clear();
        },
        write(value) {
          written.push(value);
          current.push(value);
        },
        barrier(id) {
          lines.set(id, current);
          current = [];
        },
        flush(id) {
          const handle = `${token}-${id}`;
          prepared.set(handle, lines.get(id) ?? []);
          return handle;
        },
        commit(id, handle) {
          lines.delete(id);
          apply(token, id, handle);
        },
        abandon(id) {
          current = [...(lines.get(id) ?? []), ...current];
          lines.delete(id);
          prepared.delete(`${token}-${id}`);
        },
        close() {},
      };
    },
  };
}
