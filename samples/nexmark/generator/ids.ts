import type { Draws } from '../../draws.ts';

// Which event is what, and whom it names, as in Nexmark's generator. Of 50 events one is a person, three are auctions and the
// rest are bids, in this order; so the number of an event says how many people and auctions there are.

export const perRound = 50;
const people = 1;
const auctions = 3;

export const firstPersonId = 1_000;
export const firstAuctionId = 1_000;
export const firstCategory = 10;
export const categories = 5;

/** Auctions that bids go to: the newest ones. */
export const auctionsInFlight = 100;
/** People who bid and sell: the newest ones. */
const activePeople = 1_000;
/** How far ahead an id may be of the person or auction that has it. */
const lead = 10;
/** One in so many people, or auctions, is hot for as long as no later one is. */
const hotEvery = 100;

export function kindOf(n: number): 'person' | 'auction' | 'bid' {
  const place = n % perRound;
  if (place < people) return 'person';
  return place < people + auctions ? 'auction' : 'bid';
}

/** The newest person at event `n`, counted from 0; at a person, that one. */
export const newestPerson = (n: number): number => Math.floor(n / perRound);

/** The newest auction at event `n`, counted from 0; at an auction, that one. -1 at the first event. */
export function newestAuction(n: number): number {
  const place = n % perRound;
  const opened = Math.min(Math.max(place - people + 1, 0), auctions);
  return Math.floor(n / perRound) * auctions + opened - 1;
}

/** Three of four auctions are opened by a hot seller. */
export function sellerAt(n: number, draws: Draws): number {
  return firstPersonId + (draws.below(4) > 0 ? hot(newestPerson(n)) : activePerson(n, draws));
}

/** Three of four bids come from a hot bidder, who is never a hot seller. */
export function bidderAt(n: number, draws: Draws): number {
  return firstPersonId + (draws.below(4) > 0 ? hot(newestPerson(n)) + 1 : activePerson(n, draws));
}

/** Every other bid is for a hot auction. */
export function auctionOfBid(n: number, draws: Draws): number {
  const newest = newestAuction(n);
  if (draws.below(2) > 0) return firstAuctionId + hot(newest);
  const oldest = Math.max(newest - auctionsInFlight, 0);
  return firstAuctionId + oldest + draws.below(newest - oldest + 1 + lead);
}

function activePerson(n: number, draws: Draws): number {
  const count = newestPerson(n) + 1;
  const active = Math.min(count, activePeople);
  return count - active + draws.below(active + lead);
}

const hot = (newest: number): number => Math.floor(newest / hotEvery) * hotEvery;

/** Events until all auctions in flight were followed by as many others: about as long as an auction is open. */
export const eventsOfAnAuction = Math.floor((auctionsInFlight * perRound) / auctions);
