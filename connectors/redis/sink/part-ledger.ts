import { InternalError } from '../../../lib/index.ts';
import type { PartRef, SinkHandle } from './handle.ts';
import type { Pointer } from './pointer.ts';

/**
 * Which parts belong to which checkpoint; pure. Parts are sealed at barriers, in order. A checkpoint takes all that were
 * sealed and not committed, so what an abandoned one held goes, in order, to the next.
 */
export class PartLedger {
  /** The newest checkpoint that was applied with writes in it. */
  #applied: Pointer;
  #sealed: readonly PartRef[] = [];
  #line: { readonly id: number; readonly parts: number } | undefined;
  #committed = 0;

  constructor(applied: Pointer) {
    this.#applied = applied;
  }

  /** Writes that no checkpoint has committed, behind the last barrier not included. */
  get uncommitted(): number {
    return this.#sealed.reduce((sum, { commands }) => sum + commands, 0);
  }

  /** A barrier: everything before it is in `part` (when there was anything) and in the parts sealed before. */
  draw(id: number, part: PartRef | undefined): void {
    if (this.#line) {
      const under = this.#line.id;
      throw new InternalError(`barrier ${id} came while checkpoint ${under} was under way. Please report this.`);
    }
    if (part) this.#sealed = [...this.#sealed, part];
    this.#line = { id, parts: this.#sealed.length };
  }

  /** What checkpoint `id` would make visible. */
  handle(id: number): SinkHandle {
    if (this.#line?.id !== id) throw new InternalError(`checkpoint ${id} has no barrier. Please report this.`);
    return { version: 1, after: this.#applied, parts: this.#sealed.slice(0, this.#line.parts) };
  }

  /** Whether `id`, or one after it, was committed here: to commit it again changes nothing. */
  isCommitted(id: number): boolean {
    return id <= this.#committed;
  }

  commit(id: number, { parts }: SinkHandle, pointer: Pointer): void {
    if (parts.length > 0) this.#applied = pointer;
    this.#sealed = this.#sealed.slice(parts.length);
    this.#committed = id;
    this.#line = undefined;
  }

  /** Checkpoint `id` will not count: what it held goes to the next. */
  abandon(id: number): void {
    if (this.#line?.id === id) this.#line = undefined;
  }
}
