import type { NativeClass } from './native-operators.ts';

/** What to use instead of a native operator. */
export interface Replacement {
  readonly advice: string;
  /** The operator of `tidemark/operators` that takes the same arguments behind a name, and how many of them. */
  readonly namesake?: { readonly name: string; readonly atLeast: number; readonly atMost: number };
}

const namesake = (name: string, atLeast: number, atMost = atLeast): Replacement => ({
  advice: `use \`${name}\` of tidemark/operators`,
  namesake: { name, atLeast, atMost },
});
const actor = { advice: 'use an `actor`' };
const timers = { advice: 'use an `actor` with `ctx.timers`, which are part of the checkpoint' };
const union = { advice: 'use `union` of tidemark/operators' };
const connect = { advice: 'use `connect` of tidemark/operators, with one actor behind both streams' };
const mapAsync = { advice: 'use `mapAsync` of tidemark/operators' };
const stop = { advice: 'end the job with `handle.stop()`' };
const restart = { advice: 'leave it to the restart strategy of the job' };
const branches = { advice: 'leave it out: the branches of a stream share it anyway' };
const filtered = { advice: 'use `filter` and `first` of tidemark/operators' };

/** By operator, else by class; an operator that is in several classes may have one for each. */
const replacements: Readonly<Record<string, Replacement>> = {
  scan: namesake('scan', 2),
  reduce: namesake('reduce', 2),
  distinct: namesake('distinct', 0, 1),
  distinctUntilChanged: namesake('distinctUntilChanged', 0, 2),
  distinctUntilKeyChanged: { advice: 'use `distinctUntilChanged` of tidemark/operators' },
  pairwise: namesake('pairwise', 0),
  bufferCount: namesake('bufferCount', 1, 2),
  windowCount: { advice: 'use `bufferCount` of tidemark/operators' },
  groupBy: { advice: 'use `keyBy` of tidemark/operators and an `actor`, which has a state for each key' },
  skip: namesake('skip', 1),
  take: namesake('take', 1),
  takeWhile: namesake('takeWhile', 1, 2),
  first: namesake('first', 0, 2),
  find: filtered,
  elementAt: { advice: 'use `skip` and `first` of tidemark/operators' },
  count: { advice: 'use `reduce` of tidemark/operators' },
  min: { advice: 'use `reduce` of tidemark/operators' },
  max: { advice: 'use `reduce` of tidemark/operators' },
  toArray: { advice: 'use `reduce` of tidemark/operators, or write each record to a sink' },
  share: branches,
  shareReplay: branches,
  connect: { advice: 'branch the stream, then use `union` of tidemark/operators' },
  'ends early takeUntil': stop,
  'asynchronous takeUntil': stop,

  startWith: namesake('startWith', 1, 9),
  'emits at subscription mergeWith': { advice: 'make a source of it with `from` of tidemark, then use `union`' },
  'emits at subscription raceWith': { advice: 'make sources of both with `from` of tidemark, then use `union`' },
  'emits at subscription window': { advice: 'use `bufferTime` or `bufferCount` of tidemark/operators' },

  bufferTime: namesake('bufferTime', 1),
  windowTime: { advice: 'use `bufferTime` of tidemark/operators' },
  debounceTime: namesake('debounceTime', 1),
  throttleTime: namesake('throttleTime', 1),
  auditTime: namesake('auditTime', 1),
  sampleTime: namesake('sampleTime', 1),
  delay: namesake('delay', 1),
  timeout: namesake('timeout', 1),
  'asynchronous mergeMap': mapAsync,
  'asynchronous concatMap': mapAsync,
  'asynchronous switchMap': mapAsync,
  'asynchronous exhaustMap': mapAsync,
  'asynchronous expand': mapAsync,
  'asynchronous observeOn': { advice: 'leave it out: the task decides when a record is handled' },
  'asynchronous subscribeOn': { advice: 'leave it out: the task decides when a source is opened' },
  'asynchronous delayWhen': { advice: 'use `delay` of tidemark/operators, or an `actor` with `ctx.timers`' },
  'asynchronous debounce': { advice: 'use `debounceTime` of tidemark/operators' },
  'asynchronous throttle': { advice: 'use `throttleTime` of tidemark/operators' },
  'asynchronous audit': { advice: 'use `auditTime` of tidemark/operators' },
  'asynchronous sample': { advice: 'use `sampleTime` of tidemark/operators' },
  'asynchronous bufferWhen': { advice: 'use `bufferTime` of tidemark/operators' },
  'asynchronous mergeWith': { advice: 'make a source of it with `from` of tidemark, then use `union`' },
  'asynchronous repeat': { advice: 'read the input again in another job' },
  'asynchronous retry': restart,

  'combines streams mergeWith': union,
  'combines streams concatWith': union,
  'combines streams merge': union,
  'combines streams concat': union,
  'combines streams mergeMap': { advice: 'use `union` or `connect` of tidemark/operators' },
  'combines streams concatMap': { advice: 'use `union` or `connect` of tidemark/operators' },
  'combines streams switchMap': { advice: 'use `union` or `connect` of tidemark/operators' },
  'combines streams catchError': restart,
  'combines streams partition': { advice: 'use `filter` on two branches of the stream' },

  'subscribes again repeat': { advice: 'read the input again in another job' },
};

const byClass: Readonly<Record<NativeClass, Replacement>> = {
  stateless: { advice: 'keep it' },
  stateful: actor,
  'ends early': actor,
  'emits at completion': actor,
  'emits at subscription': actor,
  asynchronous: timers,
  'combines streams': connect,
  'subscribes again': restart,
};

export function replacementOf(operator: string, nativeClass: NativeClass): Replacement {
  const own = replacements[`${nativeClass} ${operator}`] ?? general(operator, nativeClass);
  return own ?? byClass[nativeClass];
}

/** The operators of tidemark/operators that take the place of one of their own name. */
export const namesakes: readonly string[] = Object.values(replacements).flatMap(({ namesake }) => namesake?.name ?? []);

/** What an operator's own entry says fits the class that it has in the table, not what an argument makes of it. */
function general(operator: string, nativeClass: NativeClass): Replacement | undefined {
  return nativeClass === 'combines streams' || nativeClass === 'subscribes again' ? undefined : replacements[operator];
}
