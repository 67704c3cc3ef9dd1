import { filter } from 'rxjs';
import { type } from 'tidemark';
import { connect, keyBy } from 'tidemark/operators';
import { isAuction, isPerson, type Person } from '../events.ts';
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

/**
 * Local item suggestion: the auctions of category 10 whose sellers live in Oregon, Idaho or California.
 *
 * A line comes as soon as both are there: in the order of whichever came later, the auctions of one person in their own
 * order. As in Nexmark, what may still find its other half is kept for ever.
 */
export const q3: Query = events => {
  const people = events.pipe(
    filter(isPerson),
    filter(({ state }) => states.includes(state)),
    keyBy(({ id }) => id),
  );
  const auctions = events.pipe(
    filter(isAuction),
    filter(({ category }) => category === 10),
    keyBy(({ seller }) => seller),
  );
  return connect('sellers', people, auctions, {
    emits: type<LocalAuction>(),
    initial: (): Seller => ({ person: null, waiting: [] }),
    left(seller, { name, city, state }, ctx) {
      for (const id of seller.waiting) ctx.emit({ name, city, state, id });
      return { person: { name, city, state }, waiting: [] };
    },
    right(seller, { id }, ctx) {
      if (seller.person) ctx.emit({ ...seller.person, id });
      else seller.waiting.push(id);
    },
  });
};
