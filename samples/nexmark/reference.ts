// The same answers from plain loops over all events, independent of Tidemark: what the queries are checked against.
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts';

/** A bid and when it was handled, on the clock of the job (ms). */
export interface Arrival {
  readonly bidder: number;
  readonly at: number;
}

type Rows = readonly object[];

const bidsOf = (events: readonly NexmarkEvent[]) => events.filter((event): event is Bid => event.type === 'bid');
const auctionsOf = (events: readonly NexmarkEvent[]) =>
  events.filter((event): event is Auction => event.type === 'auction');
const peopleOf = (events: readonly NexmarkEvent[]) =>
  events.filter((event): event is Person => event.type === 'person');

/** The starts of all windows of `size` ms, every `slide` ms, that may hold one of `times`. */
function windowStarts(times: readonly number[], size: number, slide: number): number[] {
  if (times.length === 0) return [];
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const starts: number[] = [];
  for (let start = (Math.floor(first / slide) + 1) * slide - size; start <= last; start += slide) starts.push(start);
  return starts;
}

/** The rows of each query but q12, in the order that its description promises; of `sortedOnly` in any order. */
export const expected: Readonly<Record<string, (events: readonly NexmarkEvent[]) => Rows>> = {
  events: events => events,
  q0: events => events,

  q1: events =>
    bidsOf(events).map(({ auction, bidder, price, dateTime }) => ({
      auction,
      bidder,
      price: price * 0.908,
      dateTime,
    })),

  q2: events =>
    bidsOf(events).flatMap(({ auction, price }) =>
      auction / 123 === Math.floor(auction / 123) ? { auction, price } : [],
    ),

  q3(events) {
    const pairs: { readonly later: number; readonly opened: number; readonly row: object }[] = [];
    const people = new Map<number, number>();
    for (const [at, event] of events.entries()) if (event.type === 'person') people.set(event.id, at);
    for (const [at, event] of events.entries()) {
      if (event.type !== 'auction' || event.category !== 10) continue;
      const came = people.get(event.seller);
      if (came === undefined) continue;
      const { name, city, state } = events[came] as Person;
      if (!/^(OR|ID|CA)$/.test(state)) continue;
      pairs.push({ later: Math.max(at, came), opened: at, row: { name, city, state, id: event.id } });
    }
    return pairs.sort((a, b) => a.later - b.later || a.opened - b.opened).map(({ row }) => row);
  },

  q4(events) {
    const bids = Map.groupBy(bidsOf(events), ({ auction }) => auction);
    const winning = new Map<number, number[]>();
    // `sort` keeps the order of those that expire together.
    return auctionsOf(events)
      .sort((a, b) => a.expires - b.expires)
      .flatMap(({ id, category, dateTime, expires }) => {
        const counting = (bids.get(id) ?? []).filter(bid => dateTime <= bid.dateTime && bid.dateTime <= expires);
        if (counting.length === 0) return [];
        const prices = winning.get(category) ?? [];
        winning.set(category, prices);
        prices.push(counting.reduce((highest, { price }) => Math.max(highest, price), 0));
        return { category, avg: prices.reduce((a, b) => a + b) / prices.length };
      });
  },

  q5(events) {
    const bids = bidsOf(events);
    const starts = windowStarts(
      bids.map(({ dateTime }) => dateTime),
      10_000,
      2_000,
    );
    return starts.flatMap(windowStart => {
      const counts = new Map<number, number>();
      for (const { auction, dateTime } of bids) {
        if (dateTime < windowStart || dateTime >= windowStart + 10_000) continue;
        counts.set(auction, (counts.get(auction) ?? 0) + 1);
      }
      const most = Math.max(...counts.values());
      return [...counts]
        .filter(([, num]) => num === most)
        .sort(([a], [b]) => a - b)
        .map(([auction, num]) => ({ windowStart, windowEnd: windowStart + 10_000, auction, num }));
    });
  },

  q7(events) {
    const bids = bidsOf(events);
    const starts = windowStarts(
      bids.map(({ dateTime }) => dateTime),
      10_000,
      10_000,
    );
    return starts.flatMap(windowStart => {
      const inside = bids.filter(({ dateTime }) => dateTime >= windowStart && dateTime < windowStart + 10_000);
      const highest = Math.max(...inside.map(({ price }) => price));
      return inside
        .filter(({ price }) => price === highest)
        .map(({ auction, bidder, price, dateTime }) => ({
          windowStart,
          windowEnd: windowStart + 10_000,
          auction,
          bidder,
          price,
          dateTime,
        }));
    });
  },

  q8(events) {
    const auctions = auctionsOf(events);
    return peopleOf(events).flatMap(({ id, name, dateTime }) => {
      const windowStart = Math.floor(dateTime / 10_000) * 10_000;
      const windowEnd = windowStart + 10_000;
      const hasOpened = auctions.some(
        auction => auction.seller === id && auction.dateTime >= windowStart && auction.dateTime < windowEnd,
      );
      return hasOpened ? { windowStart, windowEnd, id, name } : [];
    });
  },

  q11(events) {
    const rows: object[] = [];
    for (const [bidder, bids] of Map.groupBy(bidsOf(events), bid => bid.bidder)) {
      const times = bids.map(({ dateTime }) => dateTime).sort((a, b) => a - b);
      let first = 0;
      for (const [i, time] of times.entries()) {
        const following = times[i + 1];
        if (following !== undefined && following - time <= 10_000) continue;
        rows.push({ bidder, bidCount: i + 1 - first, sessionStart: times[first], sessionEnd: time + 10_000 });
        first = i + 1;
      }
    }
    return rows;
  },
};

/** Queries that do not promise the order of their lines. */
export const sortedOnly: readonly string[] = ['q8', 'q11', 'q12'];

/** The rows of q12, which depend on when the bids are handled; in any order. */
export function expectedQ12(arrivals: readonly Arrival[]): Rows {
  return windowStarts(
    arrivals.map(({ at }) => at),
    10_000,
    10_000,
  ).flatMap(windowStart => {
    const inside = arrivals.filter(({ at }) => at >= windowStart && at < windowStart + 10_000);
    return [...Map.groupBy(inside, ({ bidder }) => bidder)].map(([bidder, bids]) => ({
      bidder,
      bidCount: bids.length,
      windowStart,
      windowEnd: windowStart + 10_000,
    }));
  });
}
