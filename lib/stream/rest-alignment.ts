import type { Rest } from './elements.ts';

/** Says when a rest has come on every input of a stage that has not ended: then nothing comes out of it any more. Pure. */
export class RestAlignment {
  readonly #isOpen: boolean[];
  readonly #came: boolean[];
  #rest: Rest | undefined;
  #isPassed = false;

  constructor(inputs: number) {
    this.#isOpen = new Array<boolean>(inputs).fill(true);
    this.#came = new Array<boolean>(inputs).fill(false);
  }

  /** Answers the rest that is to be passed on now. */
  came(input: number, rest: Rest): Rest | undefined {
    if (this.#rest?.id !== rest.id) {
      this.#rest = rest;
      this.#came.fill(false);
      this.#isPassed = false;
    }
    this.#came[input] = true;
    return this.#due();
  }

  /** The input has ended: no rest waits for it. */
  closed(input: number): Rest | undefined {
    this.#isOpen[input] = false;
    return this.#due();
  }

  #due(): Rest | undefined {
    if (this.#isPassed || !this.#rest || this.#came.some((came, input) => !came && this.#isOpen[input]))
      return undefined;
    this.#isPassed = true;
    return this.#rest;
  }
}
