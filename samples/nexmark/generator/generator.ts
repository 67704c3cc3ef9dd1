import { Draws, mixed } from '../../draws.ts';
import type { Auction, Bid, NexmarkEvent, Person } from '../events.ts';
import { nextChannel } from './channels.ts';
import {
  auctionOfBid,
  bidderAt,
  categories,
  eventsOfAnAuction,
  firstAuctionId,
  firstCategory,
  firstPersonId,
  kindOf,
  newestAuction,
  newestPerson,
  sellerAt,
} from './ids.ts';
import { cardNumber, cities, filling, oneOf, personName, states, word } from './texts.ts';

export interface GeneratorOptions {
  readonly seed: number;
  /** How many events there are in a second of event time. */
  readonly eventsPerSecond: number;
  /** The most ms by which an event may be older than one before it; 0: event time never goes back. */
  readonly disorderMs: number;
}

/** When Nexmark's time begins. */
export const begin = Date.UTC(2015, 6, 15);

/** Average bytes of a record, as Nexmark counts them. */
const averageSize = { person: 200, auction: 500, bid: 100 };

/** Makes the events that a seed fixes; any of them can be made again without those before it. */
export class Generator {
  readonly options: GeneratorOptions;
  readonly #draws: Draws;

  constructor(options: GeneratorOptions) {
    this.options = options;
    this.#draws = new Draws(options.seed);
  }

  /** Event `n`, counted from 0. */
  at(n: number): NexmarkEvent {
    this.#draws.begin(n);
    switch (kindOf(n)) {
      case 'bid':
        return this.#bid(n);
      case 'auction':
        return this.#auction(n);
      default:
        return this.#person(n);
    }
  }

  #bid(n: number): Bid {
    const draws = this.#draws;
    const auction = auctionOfBid(n, draws);
    const bidder = bidderAt(n, draws);
    const price = nextPrice(draws);
    const { channel, url } = nextChannel(draws);
    const extra = filling(draws, 32, averageSize.bid);
    return { type: 'bid', auction, bidder, price, channel, url, dateTime: this.#timeOf(n), extra };
  }

  #auction(n: number): Auction {
    const draws = this.#draws;
    const dateTime = this.#timeOf(n);
    const initialBid = nextPrice(draws);
    const itemName = word(draws, 3 + draws.below(17));
    const description = word(draws, 3 + draws.below(97));
    const averageLength = this.#dueAt(n + eventsOfAnAuction) - this.#dueAt(n);
    return {
      type: 'auction',
      id: firstAuctionId + newestAuction(n),
      itemName,
      description,
      initialBid,
      reserve: initialBid + nextPrice(draws),
      dateTime,
      expires: dateTime + 1 + draws.below(Math.max(2 * averageLength, 1)),
      seller: sellerAt(n, draws),
      category: firstCategory + draws.below(categories),
      extra: filling(draws, 48 + itemName.length + description.length, averageSize.auction),
    };
  }

  #person(n: number): Person {
    const draws = this.#draws;
    const name = personName(draws);
    const emailAddress = `${word(draws, 3 + draws.below(4))}@${word(draws, 3 + draws.below(2))}.com`;
    const creditCard = cardNumber(draws);
    const city = oneOf(draws, cities);
    const state = oneOf(draws, states);
    const size = 8 + name.length + emailAddress.length + creditCard.length + city.length + state.length;
    return {
      type: 'person',
      id: firstPersonId + newestPerson(n),
      name,
      emailAddress,
      creditCard,
      city,
      state,
      dateTime: this.#timeOf(n),
      extra: filling(draws, size, averageSize.person),
    };
  }

  /** When event `n` would happen without disorder. */
  #dueAt(n: number): number {
    return begin + Math.floor((n * 1_000) / this.options.eventsPerSecond);
  }

  /** Drawn apart from all else: disorder changes when things happen, and not what. */
  #timeOf(n: number): number {
    const { seed, disorderMs } = this.options;
    return this.#dueAt(n) - (disorderMs === 0 ? 0 : mixed(~seed, n) % (disorderMs + 1));
  }
}

/** Cents: 1 to 1,000,000 dollars, as often below 1,000 as above. */
const nextPrice = (draws: Draws): number => Math.round(10 ** (draws.fraction() * 6) * 100);
