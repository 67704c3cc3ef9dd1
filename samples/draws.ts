/**
 * Random numbers that a seed and the number of a record fix, so that a record can be made without those before it. One
 * object serves all records: nothing is allocated for each. (Mulberry32, which begins at a hash of seed and number.)
 */
export class Draws {
  readonly #seed: number;
  #state = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Goes to the first number of record `n`. */
  begin(n: number): void {
    this.#state = mixed(this.#seed, n) | 0;
  }

  /** From 0 up to 1. */
  fraction(): number {
    const state = (this.#state + 0x6d2b79f5) | 0;
    this.#state = state;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}

/** 32 bits that seed and number fix (the finalizer of MurmurHash3). */
export function mixed(seed: number, n: number): number {
  let bits = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
