import { InternalError } from '../errors.ts';

/**
 * `exactly-once`: what follows a barrier on its input waits until that barrier came on every open input.
 * `at-least-once`: it passes, and is handled again after a restart from that checkpoint.
 */
export type AlignmentMode = 'exactly-once' | 'at-least-once';

/** What the caller does next: pass the barrier on, or pass on all that it holds back of an input, oldest first. */
export type AlignmentStep = { readonly emit: number } | { readonly release: number };

const nothing: readonly AlignmentStep[] = [];

/**
 * Aligns the barriers of several inputs; holds no elements itself. The caller asks about every record and watermark with
 * `element`, tells every barrier and end when it arrives (also on an input whose elements are held back), and carries out
 * the answered steps in order before anything else.
 *
 * Only one barrier is being aligned at a time. A higher one means that the checkpoint of the lower one was abandoned: the
 * lower one is dropped, here and where it arrives later.
 */
export class Alignment {
  readonly #mode: AlignmentMode;
  /** Highest barrier of each input; 0 before the first. */
  readonly #delivered: number[];
  readonly #isClosed: boolean[];
  readonly #isHeld: boolean[];
  /** The barrier that is being aligned; 0 when there is none. */
  #aligning = 0;
  /** The highest barrier that was emitted or dropped. */
  #settled = 0;

  constructor(inputs: number, mode: AlignmentMode) {
    this.#mode = mode;
    this.#delivered = new Array<number>(inputs).fill(0);
    this.#isClosed = new Array<boolean>(inputs).fill(false);
    this.#isHeld = new Array<boolean>(inputs).fill(false);
  }

  /** Whether a record or watermark of this input passes now or is held back behind what is held already. */
  element(input: number): 'pass' | 'hold' {
    return this.#isHeld[input] ? 'hold' : 'pass';
  }

  /** Barrier `id` arrived on this input, which may be closed: a completed stage still passes marks. */
  barrier(input: number, id: number): readonly AlignmentStep[] {
    const last = this.#delivered[input] ?? 0;
    if (id <= last) {
      throw new InternalError(`Barrier ${id} arrived on input ${input} after barrier ${last}. Please report this.`);
    }
    this.#delivered[input] = id;
    if (id <= this.#settled || id < this.#aligning) return nothing;
    // What is held back of a dropped barrier lies before this one.
    const released = id > this.#aligning ? this.#release() : nothing;
    this.#aligning = id;
    if (this.#mode === 'exactly-once' && !this.#isClosed[input]) this.#isHeld[input] = true;
    return [...released, ...this.#emitWhenAligned()];
  }

  /** This input has ended: no barrier waits for it any more. What is held back of it stays so until its release. */
  close(input: number): readonly AlignmentStep[] {
    if (this.#isClosed[input]) throw new InternalError(`Input ${input} ended twice. Please report this.`);
    this.#isClosed[input] = true;
    return this.#aligning === 0 ? nothing : this.#emitWhenAligned();
  }

  #emitWhenAligned(): readonly AlignmentStep[] {
    const id = this.#aligning;
    if (!this.#delivered.every((last, input) => last === id || this.#isClosed[input])) return nothing;
    this.#aligning = 0;
    this.#settled = id;
    return [{ emit: id }, ...this.#release()];
  }

  #release(): AlignmentStep[] {
    const steps: AlignmentStep[] = [];
    for (const [input, isHeld] of this.#isHeld.entries()) if (isHeld) steps.push({ release: input });
    this.#isHeld.fill(false);
    return steps;
  }
}
