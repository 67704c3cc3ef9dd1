import { filter } from 'rxjs';
import { actor } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import type { Auction, NexmarkEvent, Person } from '../events.ts';
import type { Query } from './query.ts';

interface LocalAuction {
  readonly name: string;
  readonly city: string;
  readonly state: string;
  /** Of the auction. */
  readonly id: number;
}

/** A person and the auctions that were opened under the person's id; either may come first. */
interface Seller {
  person: Pick<Person, 'name' | 'city' | 'state'> | null;
  /** Auctions that came before the person. */
  waiting: number[];
}

const states = ['OR', 'ID', 'CA'];

const isWanted = (event: NexmarkEvent): event is Person | Auction =>
  event.type === 'person' ? states.includes(event.state) : event.type === 'auction' && event.category === 10;

/**
 * Local item suggestion: the auctions of category 10 whose sellers live in Oregon, Idaho or California.
 *
 * A line comes as soon as both are there: in the order of whichever came later, the auctions of one person in their own
 * order. As in Nexmark, what may still find its other half is kept for ever.
 */
export const q3: Query = events =>
  events.pipe(
    filter(isWanted),
    keyBy(event => (event.type === 'person' ? event.id : event.seller)),
    actor<Person | Auction, Seller, LocalAuction, number>('sellers', {
      initial: () => ({ person: null, waiting: [] }),
      receive(seller, event, ctx) {
        if (event.type === 'person') {
          const { name, city, state } = event;
          for (const id of seller.waiting) ctx.emit({ name, city, state, id });
          return { person: { name, city, state }, waiting: [] };
        }
        if (seller.person) ctx.emit({ ...seller.person, id: event.id });
        else seller.waiting.push(event.id);
        return;
      },
    }),
  );
