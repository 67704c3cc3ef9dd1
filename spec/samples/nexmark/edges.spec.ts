// What generated events meet rarely or never: limits of windows, sessions and auctions, to the millisecond.
import { describe, expect, it } from 'vitest';
import { type MemoryItem, takeCheckpoint } from '../../../connectors/memory/index.ts';
import { StreamRecord, Watermark } from '../../../lib/index.ts';
import type { Auction, Bid, NexmarkEvent, Person } from '../../../samples/nexmark/events.ts';
import type { QueryName } from '../../../samples/nexmark/queries/index.ts';
import { expected } from '../../../samples/nexmark/reference.ts';
import { answerOf, linesOf } from './query-run.ts';

const bid = (dateTime: number, over: Partial<Bid> = {}): Bid => ({
  type: 'bid',
  auction: 1_000,
  bidder: 2_000,
  price: 100,
  channel: 'Google',
  url: '',
  dateTime,
  extra: '',
  ...over,
});
const auction = (dateTime: number, expires: number, over: Partial<Auction> = {}): Auction => ({
  type: 'auction',
  id: 1_000,
  itemName: 'a',
  description: 'b',
  initialBid: 1,
  reserve: 2,
  dateTime,
  expires,
  seller: 2_000,
  category: 10,
  extra: '',
  ...over,
});
const person = (dateTime: number, over: Partial<Person> = {}): Person => ({
  type: 'person',
  id: 2_000,
  name: 'Vicky Noris',
  emailAddress: '',
  creditCard: '',
  city: 'Bend',
  state: 'OR',
  dateTime,
  extra: '',
  ...over,
});

/** The rows of a query, which are also those of the reference. */
async function rowsOf(query: QueryName, ...items: readonly (NexmarkEvent | Watermark)[]): Promise<readonly object[]> {
  const input = items.map(
    (item): MemoryItem<NexmarkEvent> => (item instanceof Watermark ? item : new StreamRecord(item, item.dateTime)),
  );
  const { rows } = await answerOf(query, [...input, takeCheckpoint]);
  const events = items.filter((item): item is NexmarkEvent => !(item instanceof Watermark));
  expect(linesOf(query, rows)).toEqual(linesOf(query, expected[query]?.(events) ?? []));
  return rows;
}

describe('q3', () => {
  it('joins auctions that came before their seller, and after, in the order of whichever was later', async () => {
    const ids = (await rowsOf(
      'q3',
      auction(1, 9, { id: 1 }),
      auction(1, 9, { id: 2, seller: 3_000 }),
      auction(2, 9, { id: 3 }),
      person(3),
      auction(4, 9, { id: 4 }),
      auction(4, 9, { id: 5, category: 11 }),
      person(5, { id: 3_000, state: 'ID' }),
      person(6, { id: 4_000, state: 'WA' }),
      auction(7, 9, { id: 6, seller: 4_000 }),
    )) as { id: number }[];
    expect(ids.map(({ id }) => id)).toEqual([1, 3, 4, 2]);
  });
});

describe('q4', () => {
  it('counts a bid at the opening and at the expiry, and none a millisecond off', async () => {
    const rows = await rowsOf(
      'q4',
      bid(9, { price: 900 }),
      auction(10, 20),
      bid(10, { price: 200 }),
      bid(20, { price: 300 }),
      bid(21, { price: 800 }),
    );
    expect(rows).toEqual([{ category: 10, avg: 300 }]);
  });

  it('counts a bid that came before its auction, although time has gone on meanwhile', async () => {
    const rows = await rowsOf(
      'q4',
      bid(12, { price: 500 }),
      bid(11, { price: 700 }),
      new Watermark(11),
      auction(12, 20),
      new Watermark(20),
    );
    expect(rows).toEqual([{ category: 10, avg: 500 }]);
  });

  it('leaves out an auction without a bid, and averages the others as they close', async () => {
    const rows = await rowsOf(
      'q4',
      auction(1, 9, { id: 1 }),
      auction(1, 8, { id: 2 }),
      auction(1, 7, { id: 3 }),
      auction(1, 8, { id: 4, category: 12 }),
      bid(2, { auction: 1, price: 101 }),
      bid(2, { auction: 2, price: 200 }),
      bid(2, { auction: 4, price: 7 }),
    );
    expect(rows).toEqual([
      { category: 10, avg: 200 },
      { category: 12, avg: 7 },
      { category: 10, avg: 150.5 },
    ]);
  });

  it('closes an auction when the watermark has reached its expiry, and not a millisecond before', async () => {
    const rows = await rowsOf('q4', auction(1, 9), new Watermark(8), bid(9, { price: 400 }), new Watermark(9));
    expect(rows).toEqual([{ category: 10, avg: 400 }]);
  });
});

describe('q5', () => {
  it('has windows that begin before the first bid and end after the last one, and ties by id', async () => {
    const rows = await rowsOf(
      'q5',
      bid(12_000, { auction: 9 }),
      bid(12_001, { auction: 8 }),
      bid(21_999, { auction: 9 }),
    );
    expect(rows.slice(0, 2)).toEqual([
      { windowStart: 4_000, windowEnd: 14_000, auction: 8, num: 1 },
      { windowStart: 4_000, windowEnd: 14_000, auction: 9, num: 1 },
    ]);
    expect(rows).toContainEqual({ windowStart: 12_000, windowEnd: 22_000, auction: 9, num: 2 });
    expect(rows.at(-1)).toEqual({ windowStart: 20_000, windowEnd: 30_000, auction: 9, num: 1 });
  });
});

describe('q7', () => {
  it('gives every bid of the highest price, and keeps the end of a window out of it', async () => {
    const rows = await rowsOf(
      'q7',
      bid(10_000, { price: 300, bidder: 1 }),
      bid(19_999, { price: 300, bidder: 2 }),
      bid(15_000, { price: 200 }),
      bid(20_000, { price: 999 }),
    );
    expect(rows).toMatchObject([
      { windowStart: 10_000, windowEnd: 20_000, bidder: 1 },
      { windowStart: 10_000, windowEnd: 20_000, bidder: 2 },
      { windowStart: 20_000, price: 999 },
    ]);
  });
});

describe('q8', () => {
  it('gives a person once who opened two auctions in the same window, the first before being there', async () => {
    const rows = await rowsOf(
      'q8',
      auction(10_000, 10_001),
      person(15_000),
      auction(19_999, 20_001),
      person(19_999, { id: 5_000 }),
      auction(20_000, 20_001, { seller: 5_000 }),
    );
    expect(rows).toEqual([{ windowStart: 10_000, windowEnd: 20_000, id: 2_000, name: 'Vicky Noris' }]);
  });
});

describe('q11', () => {
  it('goes on for a bid exactly 10 seconds later, and not a millisecond after that', async () => {
    const rows = await rowsOf('q11', bid(1_000), bid(11_000), bid(21_001));
    expect(rows).toEqual([
      { bidder: 2_000, bidCount: 2, sessionStart: 1_000, sessionEnd: 21_000 },
      { bidder: 2_000, bidCount: 1, sessionStart: 21_001, sessionEnd: 31_001 },
    ]);
  });

  it('is not closed by a watermark just before its end, when a bid of that time may still come', async () => {
    const rows = await rowsOf(
      'q11',
      bid(1_000),
      new Watermark(10_999),
      bid(11_000),
      new Watermark(21_000),
      bid(21_001),
    );
    expect(rows).toHaveLength(2);
  });

  it('joins two sessions when a late bid closes the gap between them', async () => {
    const rows = await rowsOf('q11', bid(1_000), bid(20_000), bid(10_500));
    expect(rows).toEqual([{ bidder: 2_000, bidCount: 3, sessionStart: 1_000, sessionEnd: 30_000 }]);
  });
});
