import type { Random } from '../../harness/random.ts';

/** A booking on a card, as it comes in. */
export interface Booking {
  readonly card: string;
  readonly cents: number;
}

/** A card after one more booking, as it goes out. */
export interface Entry {
  readonly card: string;
  /** Bookings so far. */
  readonly bookings: number;
  /** Their sum. */
  readonly cents: number;
}

export const lineOf = ({ bookings, cents }: Entry): string => `${bookings}:${cents}`;

/** Bookings that a seed fixes, on cards of which some are used a lot. */
export function bookingsFrom(random: Random, count: number, cards = 500): Booking[] {
  return Array.from({ length: count }, () => ({
    card: `card-${Math.floor(random() ** 2 * cards)}`,
    cents: Math.floor(random() * 10_000) - 2_000,
  }));
}

/** What must come out for each card, in order: a plain loop that knows nothing of Tidemark. */
export function expectedLines(bookings: readonly Booking[]): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>();
  const totals = new Map<string, { bookings: number; cents: number }>();
  for (const { card, cents } of bookings) {
    const total = totals.get(card) ?? { bookings: 0, cents: 0 };
    total.bookings++;
    total.cents += cents;
    totals.set(card, total);
    const ofCard = lines.get(card) ?? [];
    ofCard.push(lineOf({ card, ...total }));
    lines.set(card, ofCard);
  }
  return lines;
}
