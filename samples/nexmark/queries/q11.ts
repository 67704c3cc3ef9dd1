import { filter, map } from 'rxjs';
import { aggregates, keyBy, sessionWindow } from 'tidemark/operators';
import { isBid } from '../events.ts';
import type { Query } from './query.ts';

/**
 * User sessions: how many bids everybody made in each session, which ends when no bid has come for more than 10 seconds.
 *
 * A session's line comes when the watermark has reached its end, and at the end of the input: in the order of the ends; in which
 * order sessions of one end come is not promised.
 */
export const q11: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(({ bidder }) => bidder),
    sessionWindow('sessions', '10s', aggregates.count()),
    map(({ key, start, end, value }) => ({ bidder: key, bidCount: value, sessionStart: start, sessionEnd: end })),
  );
