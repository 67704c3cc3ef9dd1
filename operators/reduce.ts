import { actor, type KeyOrNone, type Migration, type Op } from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';
import { type ScanOptions, scanOptions } from './scan.ts';

/** Also remembers that the key had a record at all, when its result equals the seed. */
interface Reduced<S> {
  result: S;
  isSeen: boolean;
}

/**
 * Accumulates the values of a key and emits the result once, when bounded input ends: RxJS's `reduce`, checkpointed, once a key.
 *
 *     in   -1-2-B-3-----|
 *     out  -----B-----(6|)
 *
 * Emits when the input completes, for each key that had a record, in order of the keys, with the end of time as timestamp.
 * State: one accumulator a key. Fails when `accumulate` throws; what happens then is the actor's supervision.
 */
export function reduce<T, S>(
  name: string,
  accumulate: (state: S, value: T) => S | void,
  seed: S,
  options: ScanOptions<S> = {},
): Op<T, S> {
  knownOptions(`reduce("${name}")`, options, scanOptions);
  const { codec, migrate, ...others } = options;
  return actor<T, Reduced<S>, S, KeyOrNone>(name, {
    ...others,
    initial: () => ({ result: seed, isSeen: false }),
    receive(state, value) {
      const next = accumulate(state.result as S, value);
      if (options.update === 'return') {
        return { result: next === undefined ? (state.result as S) : (next as S), isSeen: true };
      }
      if (next !== undefined) state.result = next as typeof state.result;
      state.isSeen = true;
      return;
    },
    onComplete(state, ctx) {
      ctx.emit(state.result as S);
    },
    ...(migrate && { migrate: ofResults(migrate) }),
    ...(codec && {
      codec: {
        encode: ({ result }) => codec.encode(result),
        decode: stored => ({ result: codec.decode(stored), isSeen: true }),
      },
    }),
  }) as Op<T, S>;
}

/** Migrations are of results alone: users know of nothing else. */
function ofResults<S>(migrate: NonNullable<ScanOptions<S>['migrate']>): Migration<Reduced<S>> {
  const reduced = (result: unknown) => ({ result: result as S, isSeen: true });
  if (typeof migrate === 'function') return (state, version, key) => reduced(migrate(resultOf(state), version, key));
  const steps = Object.entries(migrate).map(
    ([version, step]) => [version, (state: unknown, key: KeyOrNone) => reduced(step(resultOf(state), key))] as const,
  );
  return Object.fromEntries(steps);
}

/** A codec stores the result alone. */
function resultOf(stored: unknown): unknown {
  const isReduced = typeof stored === 'object' && stored !== null && 'isSeen' in stored && 'result' in stored;
  return isReduced ? stored.result : stored;
}
