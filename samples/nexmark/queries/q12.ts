import { filter, map } from 'rxjs';
import { aggregates, keyBy, tumblingWindow } from 'tidemark/operators';
import { isBid } from '../events.ts';
import type { Query } from './query.ts';

/**
 * Processing time windows: how many bids of everybody were handled in each 10 seconds of the clock.
 *
 * It depends on when it runs: only the sum of a bidder's counts is always the same. A window's lines come at its end, and at
 * the end of the input; in which order is not promised.
 */
export const q12: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(({ bidder }) => bidder),
    tumblingWindow('bids', '10s', aggregates.count(), { time: 'processing' }),
    map(({ key, start, end, value }) => ({ bidder: key, bidCount: value, windowStart: start, windowEnd: end })),
  );
