import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Bid, isBid } from '../events.ts';
import type { Query } from './query.ts';
import { windowEnd } from './windows.ts';

interface Count {
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly auction: number;
  /** Bids in the window. */
  readonly num: number;
}

/** ms. */
const size = 10_000;
const slide = 2_000;

/** The bids of an auction, by the start of the pane of `slide` ms that they fell into: every window is five panes. */
type Panes = Record<number, number>;

/**
 * Hot items: the auctions with the most bids in the last 10 seconds, every 2 seconds.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; all auctions with the highest count,
 * by id.
 */
export const q5: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(bid => bid.auction),
    actor<Bid, Panes, Count, number>('bids', {
      update: 'return',
      initial: () => ({}),
      receive(panes, { dateTime }, ctx) {
        const start = windowEnd(dateTime, slide) - slide;
        const bids = panes[start] ?? 0;
        if (bids === 0) for (let end = start + slide; end <= start + size; end += slide) ctx.timers.atEventTime(end);
        return { ...panes, [start]: bids + 1 };
      },
      onTimer(panes, end, ctx) {
        let num = 0;
        for (let start = end - size; start < end; start += slide) num += panes[start] ?? 0;
        ctx.emit({ windowStart: end - size, windowEnd: end, auction: ctx.key, num });
        const { [end - size]: _oldest, ...others } = panes; // no later window has it
        if (Object.keys(others).length === 0) ctx.forget();
        return others;
      },
    }),
    keyBy(count => count.windowEnd),
    actor<Count, readonly Count[], Count, number>('hottest', {
      update: 'return',
      initial: () => [],
      receive(hottest, count, ctx) {
        const most = hottest[0]?.num ?? 0;
        if (most === 0) ctx.timers.atEventTime(count.windowEnd);
        if (count.num < most) return hottest;
        return count.num === most ? [...hottest, count] : [count];
      },
      onTimer(hottest, _end, ctx) {
        for (const count of [...hottest].sort((a, b) => a.auction - b.auction)) ctx.emit(count);
        ctx.forget();
      },
    }),
  );
