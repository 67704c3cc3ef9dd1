import { filter, map, mergeMap } from 'rxjs';
import { aggregates, keyBy, repartition, slidingWindow, tumblingWindow } from 'tidemark/operators';
import { isBid } from '../events.ts';
import { highest } from './highest.ts';
import type { Query } from './query.ts';

interface Count {
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly auction: number;
  /** Bids in the window. */
  readonly num: number;
}

/**
 * Hot items: the auctions with the most bids in the last 10 seconds, every 2 seconds.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; all auctions with the highest count,
 * by id.
 */
export const q5: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(({ auction }) => auction),
    repartition('by-auction'),
    slidingWindow('bids', '10s', '2s', aggregates.count()),
    map(
      ({ key, start, end, value }): Count => ({
        windowStart: start,
        windowEnd: end,
        auction: key as number,
        num: value,
      }),
    ),
    // A count has the time at which its window ends, so that the counts of a window lie in one stretch of 2 seconds.
    keyBy(({ windowEnd }) => windowEnd),
    repartition('by-window'),
    tumblingWindow(
      'hottest',
      '2s',
      highest(({ num }: Count) => num),
    ),
    mergeMap(({ value }) => [...value].sort((a, b) => a.auction - b.auction)),
  );
