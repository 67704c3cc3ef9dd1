import { filter, map } from 'rxjs';
import { coGroup, keyBy, repartition } from 'tidemark/operators';
import { isAuction, isPerson } from '../events.ts';
import type { Query } from './query.ts';

/**
 * New users: the people who came and opened an auction in the same 10 seconds, whichever was first; one line each.
 *
 * A window's lines come when the watermark reaches its end, and at the end of the input; in which order they come within a
 * window is not promised.
 */
export const q8: Query = events => {
  const people = events.pipe(
    filter(isPerson),
    map(({ id, name }) => ({ id, name })),
    keyBy(({ id }) => id),
    repartition('people'),
  );
  const sellers = events.pipe(
    filter(isAuction),
    map(({ seller }) => seller),
    keyBy(seller => seller),
    repartition('sellers'),
  );
  return coGroup('users', people, sellers, {
    size: '10s',
    result: (_, people, auctions, { start, end }) =>
      auctions.length === 0 ? [] : people.map(({ id, name }) => ({ windowStart: start, windowEnd: end, id, name })),
  });
};
