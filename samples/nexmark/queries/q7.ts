import { filter, map, mergeMap } from 'rxjs';
import { tumblingWindow } from 'tidemark/operators';
import { type Bid, isBid } from '../events.ts';
import { highest } from './highest.ts';
import type { Query } from './query.ts';

/**
 * Highest bid: the bids with the highest price in every 10 seconds.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; bids of the same price in the order
 * of the input.
 */
export const q7: Query = events =>
  events.pipe(
    filter(isBid),
    map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime })),
    tumblingWindow(
      'highest',
      '10s',
      highest(({ price }: Pick<Bid, 'price'>) => price),
    ),
    mergeMap(({ start, end, value }) => value.map(bid => ({ windowStart: start, windowEnd: end, ...bid }))),
  );
