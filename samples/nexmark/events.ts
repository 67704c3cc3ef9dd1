// The events of the Nexmark benchmark. All times are ms since 1970, prices are cents.

export interface Person {
  readonly type: 'person';
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
  /** Fills the record up to its average size. */
  readonly extra: string;
}

export interface Auction {
  readonly type: 'auction';
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  /** The last moment at which a bid counts. */
  readonly expires: number;
  /** The id of a person. */
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly type: 'bid';
  /** The id of an auction. */
  readonly auction: number;
  /** The id of a person. */
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

export type NexmarkEvent = Person | Auction | Bid;

export const isPerson = (event: NexmarkEvent): event is Person => event.type === 'person';

export const isAuction = (event: NexmarkEvent): event is Auction => event.type === 'auction';

export const isBid = (event: NexmarkEvent): event is Bid => event.type === 'bid';
