import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Auction, type Bid, isAuctionOrBid } from '../events.ts';
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

const nobody: Open = { auction: null, highest: 0, early: [] };

/**
 * Average price for a category: the mean of the winning bids of its closed auctions, after every auction that closes.
 *
 * A bid counts from the opening of its auction to its expiry, both included, by its own time; the highest one wins. An auction
 * closes when the watermark has passed its expiry, and at the end of the input; one without a bid that counts is left out.
 * Lines come in the order in which auctions expire, then in that of the input. The average is not rounded.
 */
export const q4: Query = events =>
  events.pipe(
    filter(isAuctionOrBid),
    keyBy(event => (event.type === 'auction' ? event.id : event.auction)),
    actor<Auction | Bid, Open, WinningBid, number>('auctions', {
      update: 'return',
      initial: () => nobody,
      receive(open, event, ctx) {
        if (event.type === 'auction') {
          const { category, dateTime, expires } = event;
          ctx.timers.atEventTime(expires + 1);
          const highest = open.early.reduce((price, bid) => Math.max(price, counting(bid, event)), 0);
          return { auction: { category, dateTime, expires }, highest, early: [] };
        }
        if (open.auction !== null) {
          const price = counting(event, open.auction);
          return price > open.highest ? { ...open, highest: price } : open;
        }
        // No auction that opened before this bid, and so could have it, comes once the watermark has passed the bid.
        ctx.timers.atEventTime(event.dateTime + 1);
        return { ...open, early: [...open.early, { price: event.price, dateTime: event.dateTime }] };
      },
      onTimer({ auction, highest, early }, time, ctx) {
        if (auction === null) {
          const left = early.filter(({ dateTime }) => dateTime >= time);
          if (left.length === 0) ctx.forget();
          return { auction, highest, early: left };
        }
        // It may be the timer of an early bid.
        if (time > auction.expires) {
          if (highest > 0) ctx.emit({ category: auction.category, price: highest });
          ctx.forget();
        }
        return;
      },
    }),
    keyBy(bid => bid.category),
    actor<WinningBid, { auctions: number; sum: number }, { category: number; avg: number }, number>('averages', {
      update: 'return',
      initial: () => ({ auctions: 0, sum: 0 }),
      receive(before, { category, price }, ctx) {
        const after = { auctions: before.auctions + 1, sum: before.sum + price };
        ctx.emit({ category, avg: after.sum / after.auctions });
        return after;
      },
    }),
  );

/** The price of a bid that counts, else 0. */
function counting(
  { price, dateTime }: Pick<Bid, 'price' | 'dateTime'>,
  auction: Pick<Auction, 'dateTime' | 'expires'>,
): number {
  return dateTime >= auction.dateTime && dateTime <= auction.expires ? price : 0;
}
