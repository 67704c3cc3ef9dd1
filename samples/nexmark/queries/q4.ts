import { filter, map } from 'rxjs';
import { type } from 'tidemark';
import { connect, keyBy, scan } from 'tidemark/operators';
import { type Auction, type Bid, isAuction, isBid } from '../events.ts';
import type { Query } from './query.ts';

interface WinningBid {
  readonly category: number;
  readonly price: number;
}

/** An auction, the highest bid that counts, and bids that came before the auction itself. */
interface Open {
  readonly auction: Pick<Auction, 'category' | 'dateTime' | 'expires'> | null;
  /** 0: none. */
  readonly highest: number;
  readonly early: readonly Pick<Bid, 'price' | 'dateTime'>[];
}

/**
 * Average price for a category: the mean of the winning bids of its closed auctions, after every auction that closes.
 *
 * A bid counts from the opening of its auction to its expiry, both included, by its own time; the highest one wins. An auction
 * closes when the watermark has reached its expiry, and at the end of the input; one without a bid that counts is left out.
 * Lines come in the order in which auctions expire, then in that of the input. The average is not rounded.
 */
export const q4: Query = events => {
  const auctions = events.pipe(
    filter(isAuction),
    keyBy(({ id }) => id),
  );
  const bids = events.pipe(
    filter(isBid),
    keyBy(({ auction }) => auction),
  );
  // Each auction has a time of its own in which bids count, so that no join by a fixed distance in time would do.
  return connect('auctions', auctions, bids, {
    emits: type<WinningBid>(),
    update: 'return',
    initial: (): Open => ({ auction: null, highest: 0, early: [] }),
    left({ early }, { category, dateTime, expires }, ctx) {
      ctx.timers.atEventTime(expires);
      const auction = { category, dateTime, expires };
      return { auction, highest: early.reduce((price, bid) => Math.max(price, counting(bid, auction)), 0), early: [] };
    },
    right(open, { price, dateTime }, ctx) {
      if (open.auction !== null) {
        return { ...open, highest: Math.max(open.highest, counting({ price, dateTime }, open.auction)) };
      }
      // No auction that opened before this bid, and so could have it, comes once the watermark has reached the bid.
      ctx.timers.atEventTime(dateTime);
      return { ...open, early: [...open.early, { price, dateTime }] };
    },
    onTimer({ auction, highest, early }, time, ctx) {
      if (auction === null) {
        const left = early.filter(({ dateTime }) => dateTime > time);
        if (left.length === 0) ctx.forget();
        return { auction, highest, early: left };
      }
      // It may be the timer of an early bid.
      if (time >= auction.expires) {
        if (highest > 0) ctx.emit({ category: auction.category, price: highest });
        ctx.forget();
      }
      return;
    },
  }).pipe(
    keyBy(({ category }) => category),
    scan(
      'averages',
      (before, { category, price }) => ({ category, auctions: before.auctions + 1, sum: before.sum + price }),
      { category: 0, auctions: 0, sum: 0 },
      { update: 'return' },
    ),
    map(({ category, auctions, sum }) => ({ category, avg: sum / auctions })),
  );
};

/** The price of a bid that counts, else 0. */
function counting(
  { price, dateTime }: Pick<Bid, 'price' | 'dateTime'>,
  auction: Pick<Auction, 'dateTime' | 'expires'>,
): number {
  return dateTime >= auction.dateTime && dateTime <= auction.expires ? price : 0;
}
