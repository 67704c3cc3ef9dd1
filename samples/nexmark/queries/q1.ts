import { filter, map } from 'rxjs';
import { isBid } from '../events.ts';
import type { Query } from './query.ts';

/** Currency conversion: every bid in euros, in the order of the input. The price is the plain product, not rounded. */
export const q1: Query = events =>
  events.pipe(
    filter(isBid),
    map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price: price * 0.908, dateTime })),
  );
