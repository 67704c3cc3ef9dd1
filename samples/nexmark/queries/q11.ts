import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Bid, isBid } from '../events.ts';
import type { Query } from './query.ts';

interface BidderSession {
  readonly bidder: number;
  readonly bidCount: number;
  /** The first bid. */
  readonly sessionStart: number;
  /** The last bid and the gap. */
  readonly sessionEnd: number;
}

/** The sessions of a bidder that a bid may still join: with bids out of order there can be several. */
type Sessions = readonly BidderSession[];

/** ms; a bid that comes exactly so much after the last one still belongs to its session, as in Flink. */
const gap = 10_000;

/**
 * User sessions: how many bids everybody made in each session, which ends when no bid has come for more than 10 seconds.
 *
 * A session's line comes when the watermark has passed its end, and at the end of the input: in the order of the ends; in which
 * order sessions of one end come is not promised.
 */
export const q11: Query = events =>
  events.pipe(
    filter(isBid),
    keyBy(bid => bid.bidder),
    actor<Bid, Sessions, BidderSession, number>('sessions', {
      update: 'return',
      initial: () => [],
      receive(sessions, { bidder, dateTime }, ctx) {
        let joined: BidderSession = { bidder, bidCount: 1, sessionStart: dateTime, sessionEnd: dateTime + gap };
        const apart: BidderSession[] = [];
        for (const session of sessions) {
          if (dateTime < session.sessionStart - gap || dateTime > session.sessionEnd) {
            apart.push(session);
            continue;
          }
          ctx.timers.cancelEventTime(session.sessionEnd + 1);
          joined = {
            bidder,
            bidCount: joined.bidCount + session.bidCount,
            sessionStart: Math.min(joined.sessionStart, session.sessionStart),
            sessionEnd: Math.max(joined.sessionEnd, session.sessionEnd),
          };
        }
        ctx.timers.atEventTime(joined.sessionEnd + 1);
        return [...apart, joined];
      },
      onTimer(sessions, time, ctx) {
        const open = sessions.filter(({ sessionEnd }) => sessionEnd >= time);
        for (const session of sessions) if (session.sessionEnd < time) ctx.emit(session);
        if (open.length === 0) ctx.forget();
        return open;
      },
    }),
  );
