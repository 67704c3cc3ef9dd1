import { filter, map } from 'rxjs';
import { isBid } from '../events.ts';
import type { Query } from './query.ts';

/** Selection: the bids for every 123rd auction, in the order of the input. */
export const q2: Query = events =>
  events.pipe(
    filter(isBid),
    filter(({ auction }) => auction % 123 === 0),
    map(({ auction, price }) => ({ auction, price })),
  );
