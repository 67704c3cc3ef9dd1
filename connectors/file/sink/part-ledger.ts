import { InternalError } from '../../../lib/index.ts';
import { endOf, lengthOf, type PartRef, type SinkHandle } from './handle.ts';

/** How the visible file ends: its length, and the digest of its last block. */
export interface VisibleEnd {
  readonly bytes: number;
  readonly digest: string;
}

/**
 * Which parts belong to which checkpoint; pure. Parts are sealed at barriers, in order. A checkpoint takes all that were
 * sealed and not committed, so what an abandoned one held goes, in order, to the next.
 */
export class PartLedger {
  readonly #path: string;
  #end: VisibleEnd;
  #sealed: readonly PartRef[] = [];
  #line: { readonly id: number; readonly parts: number } | undefined;
  /** Of the newest committed checkpoint: kept until the next one is applied. */
  #kept: readonly PartRef[];
  #committed: number;

  constructor(path: string, end: VisibleEnd, restored?: { readonly id: number; readonly handle: SinkHandle }) {
    this.#path = path;
    this.#end = end;
    this.#committed = restored?.id ?? 0;
    this.#kept = restored?.handle.parts ?? [];
  }

  /** Where the visible file ends once everything sealed so far is committed. */
  get sealedEnd(): number {
    return this.#end.bytes + lengthOf(this.#sealed);
  }

  /** Bytes that no checkpoint has committed. */
  get hasUncommitted(): boolean {
    return this.#sealed.length > 0;
  }

  /** Parts that only a repeated apply of the newest committed checkpoint would need. */
  get kept(): readonly PartRef[] {
    return this.#kept;
  }

  /** A barrier: everything before it is in `part` (when there was anything) and in the parts sealed before. */
  draw(id: number, part: PartRef | undefined): void {
    if (this.#line)
      throw new InternalError(
        `barrier ${id} came while checkpoint ${this.#line.id} was under way. Please report this.`,
      );
    if (part) this.#sealed = [...this.#sealed, part];
    this.#line = { id, parts: this.#sealed.length };
  }

  /** What checkpoint `id` would make visible. */
  handle(id: number): SinkHandle {
    const parts = this.#sealed.slice(0, this.#lineOf(id).parts);
    const { bytes: offset, digest: before } = this.#end;
    return { version: 1, path: this.#path, offset, length: lengthOf(parts), before, parts };
  }

  /** Whether `id`, or one after it, was committed here: to commit it again changes nothing. */
  isCommitted(id: number): boolean {
    return id <= this.#committed;
  }

  /** Checkpoint `id` was applied. Answers the parts that nobody needs any more. */
  commit(id: number, handle: SinkHandle, digest: string): readonly PartRef[] {
    if (this.#line && this.#line.id !== id)
      throw new InternalError(
        `checkpoint ${id} was committed while ${this.#line.id} was under way. Please report this.`,
      );
    const obsolete = this.#kept;
    this.#kept = handle.parts;
    this.#sealed = this.#sealed.slice(handle.parts.length);
    this.#end = { bytes: endOf(handle), digest };
    this.#committed = id;
    this.#line = undefined;
    return obsolete;
  }

  /** Checkpoint `id` will not count: what it held goes to the next. */
  abandon(id: number): void {
    if (this.#line?.id === id) this.#line = undefined;
  }

  #lineOf(id: number): { readonly parts: number } {
    if (this.#line?.id === id) return this.#line;
    throw new InternalError(`checkpoint ${id} of "${this.#path}" has no barrier. Please report this.`);
  }
}
