/** Numbers from 0 up to 1 that one seed fixes; mulberry32. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed in `TIDEMARK_SEED`, or a new one; printed, so that a failure can be repeated. */
export function printedSeed(what: string): number {
  const given = Number(process.env.TIDEMARK_SEED);
  const seed = process.env.TIDEMARK_SEED && Number.isInteger(given) ? given : Math.floor(Math.random() * 2 ** 31);
  console.log(`${what}: TIDEMARK_SEED=${seed}`);
  return seed;
}
