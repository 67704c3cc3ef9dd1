import { filter } from 'rxjs';
import { type ActorContext, actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Bid, isBid } from '../events.ts';
import type { Query } from './query.ts';
import { windowEnd } from './windows.ts';

interface BidsOfWindow {
  readonly bidder: number;
  readonly bidCount: number;
  readonly windowStart: number;
  readonly windowEnd: number;
}

/** The bids of a bidder in the window that is open. */
interface Open {
  readonly end: number;
  readonly bids: number;
}

/** ms. */
const size = 10_000;

/**
 * Processing time windows: how many bids of everybody were handled in each 10 seconds of the clock.
 *
 * It depends on when it runs: only the sum of a bidder's counts is always the same. A window's lines come at its end, and at
 * the end of the input; in which order is not promised.
 */
export const q12: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(bid => bid.bidder),
    actor<Bid, Open, BidsOfWindow, number>('bids', {
      update: 'return',
      initial: () => ({ end: 0, bids: 0 }),
      receive(open, _bid, ctx) {
        const end = windowEnd(ctx.now(), size);
        if (end === open.end) return { end, bids: open.bids + 1 };
        close(open, ctx); // its timer is due, and has not had its turn
        ctx.timers.atProcessingTime(end);
        return { end, bids: 1 };
      },
      onTimer(open, time, ctx) {
        if (open.end !== time) return;
        close(open, ctx);
        ctx.forget();
      },
      onComplete: close,
    }),
  );

function close({ end, bids }: Open, ctx: ActorContext<BidsOfWindow, number>): void {
  if (bids > 0) ctx.emit({ bidder: ctx.key, bidCount: bids, windowStart: end - size, windowEnd: end });
}
