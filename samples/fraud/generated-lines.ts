import { Draws, mixed } from '../draws.ts';

const firstAt = Date.UTC(2026, 0, 1);
/** ms between two lines. */
const step = 250;
const cards = 200;

/** How many lines, or 10 and 75 seconds, a confirmation stands behind its payment; odd, as lines of even number are payments. */
const soon = 41;
const late = 301;

export const timeOfLine = (n: number): number => firstAt + n * step;

/**
 * Makes the lines that a seed fixes: payments, confirmations of those above 1,000 euros, and one in 200 that is broken. Most
 * cards pay now and then; one at a time pays often.
 */
export function lineMaker(seed: number): (n: number) => string {
  const draws = new Draws(seed);
  return n => {
    const confirmed = confirmedAt(n, seed, draws);
    const { card, cents } = confirmed === undefined ? paymentAt(n, draws) : paymentAt(confirmed, draws);
    const record =
      confirmed === undefined
        ? { kind: 'payment', id: n, card, cents, at: timeOfLine(n) }
        : { kind: 'confirmation', id: confirmed, card, at: timeOfLine(n) };
    return broken(record, mixed(seed ^ 0x51ed270b, n) % 800);
  };
}

function paymentAt(n: number, draws: Draws): { readonly card: string; readonly cents: number } {
  draws.begin(n);
  const busy = Math.floor(n / cards) % cards;
  const card = draws.below(20) === 0 ? busy : draws.below(cards);
  return { card: `4921-${String(card).padStart(4, '0')}`, cents: centsOf(draws) };
}

function centsOf(draws: Draws): number {
  const size = draws.below(100);
  if (size < 15) return 1 + draws.below(99);
  return size < 25 ? 50_000 + draws.below(100_000) : 100 + draws.below(20_000);
}

/** The payment that line `n` confirms: half of the large ones of even number soon, a quarter too late, the others never. */
function confirmedAt(n: number, seed: number, draws: Draws): number | undefined {
  if (n % 2 === 0) return undefined;
  for (const behind of [soon, late]) {
    const payment = n - behind;
    if (payment < 0 || paymentAt(payment, draws).cents <= 100_000) continue;
    const share = mixed(~seed, payment) % 4;
    if (behind === soon ? share < 2 : share === 2) return payment;
  }
  return undefined;
}

function broken(record: object, way: number): string {
  const line = JSON.stringify(record);
  switch (way) {
    case 0:
      return line.slice(0, -10);
    case 1:
      return line.replace(/"card":"[^"]*"/, '"card":null');
    case 2:
      return line.replace('"kind"', '"type"');
    case 3:
      return line.replace(/"cents":(\d+)/, '"cents":"$1 EUR"');
    default:
      return line;
  }
}
