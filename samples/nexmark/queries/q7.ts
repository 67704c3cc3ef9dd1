import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Bid, isBid } from '../events.ts';
import type { Query } from './query.ts';
import { windowEnd } from './windows.ts';

type Highest = Pick<Bid, 'auction' | 'bidder' | 'price' | 'dateTime'>;

/** ms. */
const size = 10_000;

/**
 * Highest bid: the bids with the highest price in every 10 seconds.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; bids of the same price in the order
 * of the input.
 */
export const q7: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(bid => windowEnd(bid.dateTime, size)),
    actor<Bid, readonly Highest[], Highest & { windowStart: number; windowEnd: number }, number>('highest', {
      update: 'return',
      initial: () => [],
      receive(highest, { auction, bidder, price, dateTime }, ctx) {
        const top = highest[0]?.price ?? 0;
        if (top === 0) ctx.timers.atEventTime(ctx.key);
        if (price < top) return highest;
        const bid = { auction, bidder, price, dateTime };
        return price === top ? [...highest, bid] : [bid];
      },
      onTimer(highest, end, ctx) {
        for (const bid of highest) ctx.emit({ windowStart: end - size, windowEnd: end, ...bid });
        ctx.forget();
      },
    }),
  );
