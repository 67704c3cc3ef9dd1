import { actor, type Key, type KeyAtom, type KeyOrNone, type Op, UserCodeError } from '../lib/index.ts';

/**
 * Passes the first record of each distinct `selector(value)` and drops its repeats; per key after `keyBy`.
 *
 *     in   -a-b-a-B-b-c-|      B is a checkpoint barrier: what was seen survives a crash
 *     out  -a-b---B---c-|
 *
 * Emits when the selected value is unseen. State: one entry for each selected value of a key.
 * Fails when `selector` throws, or selects what is not compared by value (an object); what happens then is the actor's
 * supervision.
 */
export function distinct<T>(name: string, selector: (value: T) => unknown = value => value): Op<T, T> {
  return actor<T, boolean, T, KeyOrNone>(name, {
    update: 'return',
    stateKey: (value, key) => [...atomsOf(key), ...atomOf(selector(value), name)],
    initial: () => false,
    receive(isSeen, value, ctx) {
      if (!isSeen) ctx.emit(value);
      return true;
    },
  }) as Op<T, T>;
}

function atomsOf(key: Key | undefined): readonly KeyAtom[] {
  if (key === undefined) return [];
  return Array.isArray(key) ? [true, ...(key as readonly KeyAtom[])] : [false, key as KeyAtom];
}

function atomOf(selected: unknown, name: string): readonly KeyAtom[] {
  switch (typeof selected) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return [selected];
    default:
      if (selected === undefined || selected === null) return [String(selected), 0];
      throw new UserCodeError(
        `distinct("${name}") selected ${typeof selected === 'object' ? 'an object' : `a ${typeof selected}`}, which equals ` +
          'nothing but itself: select a string, number, bigint or boolean, such as value.id.',
      );
  }
}
