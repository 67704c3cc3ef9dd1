import { describe, expect, it } from 'vitest';
import type { Auction, Bid, NexmarkEvent, Person } from '../../../samples/nexmark/events.ts';
import { begin, Generator, type GeneratorOptions } from '../../../samples/nexmark/generator/generator.ts';

const eventsOf = (count: number, options: Partial<GeneratorOptions> = {}): NexmarkEvent[] => {
  const generator = new Generator({ seed: 7, eventsPerSecond: 1_000, disorderMs: 0, ...options });
  return Array.from({ length: count }, (_, n) => generator.at(n));
};
const many = eventsOf(50_000);
const ofType = <E extends NexmarkEvent>(type: E['type'], events = many) =>
  events.filter((event): event is E => event.type === type);
const share = <T>(values: readonly T[], is: (value: T) => boolean) => values.filter(is).length / values.length;

describe('the Nexmark generator', () => {
  it('makes one person, three auctions and 46 bids of every 50 events', () => {
    for (let round = 0; round < 20; round++) {
      const types = many.slice(round * 50, round * 50 + 50).map(({ type }) => type);
      expect(types).toEqual(['person', ...Array(3).fill('auction'), ...Array(46).fill('bid')]);
    }
  });

  it('numbers people and auctions from 1000 on, without a gap', () => {
    const ids = (events: readonly { readonly id: number }[]) => events.map(({ id }) => id);
    expect(ids(ofType<Person>('person'))).toEqual(Array.from({ length: 1_000 }, (_, n) => 1_000 + n));
    expect(ids(ofType<Auction>('auction'))).toEqual(Array.from({ length: 3_000 }, (_, n) => 1_000 + n));
  });

  it('lets people sell and bid who are there, or nearly so, and half or more of them be hot', () => {
    let person = 999;
    let auction = 999;
    for (const event of many) {
      if (event.type === 'person') person = event.id;
      else if (event.type === 'auction') {
        auction = event.id;
        expect(event.seller).toBeLessThanOrEqual(person + 10);
        expect(event.seller).toBeGreaterThan(Math.max(999, person - 1_000));
      } else {
        expect(event.bidder).toBeLessThanOrEqual(person + 10);
        expect(event.bidder).toBeGreaterThan(Math.max(999, person - 1_000));
        expect(event.auction).toBeLessThanOrEqual(auction + 10);
        expect(event.auction).toBeGreaterThanOrEqual(Math.max(1_000, auction - 100));
      }
    }
    expect(share(ofType<Auction>('auction'), ({ seller }) => seller % 100 === 0)).toBeCloseTo(0.75, 1);
    expect(share(ofType<Bid>('bid'), ({ bidder }) => bidder % 100 === 1)).toBeCloseTo(0.75, 1);
    expect(share(ofType<Bid>('bid'), ({ auction }) => auction % 100 === 0)).toBeCloseTo(0.5, 1);
    expect(share(ofType<Bid>('bid'), ({ channel }) => !channel.startsWith('channel-'))).toBeCloseTo(0.5, 1);
  });

  it('fills every field within its range', () => {
    for (const { category, reserve, initialBid, dateTime, expires, itemName } of ofType<Auction>('auction')) {
      expect([10, 11, 12, 13, 14]).toContain(category);
      expect(reserve).toBeGreaterThan(initialBid);
      // 100 auctions take 1,666 events, here as many ms; an auction is open for at most twice as long.
      expect(expires - dateTime).toBeGreaterThanOrEqual(1);
      expect(expires - dateTime).toBeLessThanOrEqual(2 * 1_666);
      expect(itemName.length).toBeGreaterThanOrEqual(3);
    }
    for (const person of ofType<Person>('person')) {
      expect(['AZ', 'CA', 'ID', 'OR', 'WA', 'WY']).toContain(person.state);
      expect(person.name).toMatch(/^\w+ \w+$/);
      expect(person.emailAddress).toMatch(/^[a-z]{3,6}@[a-z]{3,4}\.com$/);
      expect(person.creditCard).toMatch(/^\d{4}( \d{4}){3}$/);
      expect(person.city).not.toBe('');
    }
    for (const { price, url } of ofType<Bid>('bid')) {
      expect(Number.isInteger(price) && price >= 100 && price <= 100_000_000).toBe(true);
      expect(url).toMatch(/^https:\/\/www\.nexmark\.com\/[a-z]{5}\/[a-z]{5}\/[a-z]{5}\/item\.htm\?query=1/);
    }
    expect(new Set(ofType<Auction>('auction').map(({ category }) => category)).size).toBe(5);
    expect(new Set(ofType<Person>('person').map(({ state }) => state)).size).toBe(6);
    expect(new Set(ofType<Person>('person').map(({ city }) => city)).size).toBe(10);
  });

  it('fills the records up to the average sizes of Nexmark', () => {
    const mean = (events: readonly NexmarkEvent[], rest: number) =>
      events.reduce((sum, { extra }) => sum + extra.length, 0) / events.length + rest;
    expect(mean(ofType<Bid>('bid'), 32)).toBeCloseTo(100, -1);
    expect(ofType<Auction>('auction')[0]?.extra.length).toBeGreaterThan(200);
  });

  it('gives one channel one address', () => {
    const urls = Map.groupBy(ofType<Bid>('bid'), ({ channel }) => channel);
    for (const bids of urls.values()) expect(new Set(bids.map(({ url }) => url)).size).toBe(1);
    expect(new Set(ofType<Bid>('bid').map(({ url }) => url)).size).toBe(urls.size);
  });

  it('spaces events by the rate, in order', () => {
    expect(many.map(({ dateTime }) => dateTime)).toEqual(many.map((_, n) => begin + n));
    expect(eventsOf(100, { eventsPerSecond: 4 }).at(-1)?.dateTime).toBe(begin + 99 * 250);
    expect(eventsOf(100, { eventsPerSecond: 3_000 }).at(-1)?.dateTime).toBe(begin + 33);
  });

  it('disorders them within the bound, up to it, and changes nothing else but times', () => {
    const disorderly = eventsOf(50_000, { disorderMs: 2_000 });
    let newest = Number.NEGATIVE_INFINITY;
    let oldestBy = 0;
    for (const { dateTime } of disorderly) {
      newest = Math.max(newest, dateTime);
      oldestBy = Math.max(oldestBy, newest - dateTime);
    }
    expect(oldestBy).toBeLessThanOrEqual(2_000);
    expect(oldestBy).toBeGreaterThan(1_900);
    const timeless = (events: readonly NexmarkEvent[]) =>
      events.map(event => ({ ...event, dateTime: 0, ...(event.type === 'auction' && { expires: 0 }) }));
    expect(timeless(disorderly)).toEqual(timeless(many));
  });

  it('is fixed by its seed, differs with it, and begins anywhere', () => {
    expect(eventsOf(1_000)).toEqual(many.slice(0, 1_000));
    const isSame = (event: NexmarkEvent, n: number) => event.extra === many[n]?.extra;
    expect(eventsOf(1_000, { seed: 8 }).filter(isSame).length).toBeLessThan(10);
    const generator = new Generator({ seed: 7, eventsPerSecond: 1_000, disorderMs: 0 });
    expect(generator.at(40_123)).toEqual(many[40_123]);
    expect(generator.at(77)).toEqual(many[77]);
  });
});
