import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { type Auction, isPersonOrAuction, type Person } from '../events.ts';
import type { Query } from './query.ts';
import { windowEnd } from './windows.ts';

interface NewUser {
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly id: number;
  readonly name: string;
}

/** ms. */
const size = 10_000;

/**
 * New users: the people who came and opened an auction in the same 10 seconds, whichever was first; one line each.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; in which order they come within a
 * window is not promised.
 */
export const q8: Query = events =>
  events.pipe(
    filter(isPersonOrAuction),
    keyBy(event => [windowEnd(event.dateTime, size), event.type === 'person' ? event.id : event.seller]),
    actor<Person | Auction, { name: string | null; hasOpened: boolean }, NewUser, readonly [number, number]>('users', {
      initial: () => ({ name: null, hasOpened: false }),
      receive(user, event, ctx) {
        ctx.timers.atEventTime(ctx.key[0]);
        if (event.type === 'person') user.name = event.name;
        else user.hasOpened = true;
      },
      onTimer({ name, hasOpened }, end, ctx) {
        const [, id] = ctx.key;
        if (name !== null && hasOpened) ctx.emit({ windowStart: end - size, windowEnd: end, id, name });
        ctx.forget();
      },
    }),
  );
