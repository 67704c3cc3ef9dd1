/** One payment by card; `cents` is below zero when money was given back. */
export interface Payment {
  readonly card: string;
  readonly cents: number;
  /** ms since 1970. */
  readonly at: number;
}

/** What a card has spent so far. */
export interface CardTotal {
  readonly card: string;
  readonly payments: number;
  readonly cents: number;
}

const cards = 500;
const firstAt = Date.UTC(2026, 0, 1);

/** The n-th payment of the ones that a seed fixes: any of them can be made again without those before it. */
export function paymentAt(seed: number, n: number): Payment {
  const bits = mixed(seed, n);
  // Squared, so that some cards pay far more often than others.
  const part = (bits & 0xffff) / 0x10000;
  const card = Math.floor(part * part * cards);
  const isRefund = (bits >>> 16) % 25 === 0;
  const cents = 100 + (mixed(seed ^ 0x5bd1e995, n) % 20_000);
  return { card: `4921-${String(card).padStart(4, '0')}`, cents: isRefund ? -cents : cents, at: firstAt + n * 250 };
}

/** 32 bits that seed and number fix (the finalizer of MurmurHash3). */
function mixed(seed: number, n: number): number {
  let bits = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
