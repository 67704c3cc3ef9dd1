import {
  asapScheduler,
  asyncScheduler,
  audit,
  auditTime,
  buffer,
  bufferCount,
  bufferTime,
  bufferToggle,
  bufferWhen,
  catchError,
  combineLatestWith,
  concatAll,
  concatMap,
  concatWith,
  connect,
  count,
  debounce,
  debounceTime,
  defaultIfEmpty,
  delay,
  delayWhen,
  dematerialize,
  distinct,
  distinctUntilChanged,
  distinctUntilKeyChanged,
  EMPTY,
  elementAt,
  endWith,
  every,
  exhaustAll,
  exhaustMap,
  expand,
  filter,
  finalize,
  find,
  findIndex,
  first,
  groupBy,
  ignoreElements,
  interval,
  isEmpty,
  last,
  map,
  materialize,
  max,
  merge,
  mergeAll,
  mergeMap,
  mergeScan,
  mergeWith,
  min,
  NEVER,
  Observable,
  type OperatorFunction,
  observeOn,
  of,
  onErrorResumeNextWith,
  pairwise,
  queueScheduler,
  raceWith,
  reduce,
  repeat,
  retry,
  pipe as rxjsPipe,
  sample,
  sampleTime,
  scan,
  sequenceEqual,
  share,
  shareReplay,
  single,
  skip,
  skipLast,
  skipUntil,
  skipWhile,
  startWith,
  subscribeOn,
  switchAll,
  switchMap,
  switchScan,
  take,
  takeLast,
  takeUntil,
  takeWhile,
  tap,
  throttle,
  throttleTime,
  throwIfEmpty,
  timeout,
  timer,
  timestamp,
  toArray,
  window,
  windowCount,
  windowTime,
  withLatestFrom,
  zipWith,
} from 'rxjs';

/** The classes of native operators that run inside a job. */
export const lifted = ['stateless', 'stateful', 'ends early', 'emits at completion'] as const;
/** The classes that are refused with a LiftError. */
export const refused = ['emits at subscription', 'asynchronous', 'combines streams', 'subscribes again'] as const;

export type LiftedClass = (typeof lifted)[number];
export type RefusedClass = (typeof refused)[number];

// biome-ignore lint/suspicious/noExplicitAny: what an operator emits is compared, not typed
type Native = OperatorFunction<number, any>;

/** A native operator that runs inside a job; its function, where it takes one, calls `touch`, which answers its argument. */
export interface LiftedRow {
  readonly name: string;
  readonly class: LiftedClass;
  make(touch: (value: number) => number): Native;
  /** Whether it takes a function, whose throw is an error of the user's code. */
  readonly takesFunction?: true;
  /** What it makes of an error notification of its input, where it does not pass it on. */
  readonly handlesErrors?: true;
}

/** When a native operator is refused: as it is subscribed, at a record, at the end or the error of the input, or later. */
export type Refusal = 'wiring' | 'record' | 'completion' | 'error' | 'later';

/** A native operator that is refused; `other` is another stream of the same job. */
export interface RefusedRow {
  readonly name: string;
  readonly class: RefusedClass;
  readonly when: Refusal;
  /** Whether the first record passes before it is refused. */
  readonly emitsFirst?: true;
  make(other: Observable<number>): Native;
}

const twice = map((v: number) => [v, -v]);

const stateless: Omit<LiftedRow, 'class'>[] = [
  { name: 'map', takesFunction: true, make: touch => map(v => touch(v) * 2) },
  { name: 'filter', takesFunction: true, make: touch => filter(v => touch(v) % 2 === 0) },
  { name: 'tap', takesFunction: true, make: touch => tap(v => touch(v)) },
  { name: 'mergeMap (array)', takesFunction: true, make: touch => mergeMap(v => [touch(v), -v]) },
  { name: 'mergeMap (of)', takesFunction: true, make: touch => mergeMap(v => of(touch(v), -v)) },
  { name: 'concatMap', takesFunction: true, make: touch => concatMap(v => [touch(v), -v]) },
  { name: 'switchMap', takesFunction: true, make: touch => switchMap(v => of(touch(v), -v, v)) },
  { name: 'exhaustMap', takesFunction: true, make: touch => exhaustMap(v => [touch(v), -v]) },
  { name: 'mergeAll', make: () => rxjsPipe(twice, mergeAll()) },
  { name: 'concatAll', make: () => rxjsPipe(twice, concatAll()) },
  { name: 'switchAll', make: () => rxjsPipe(twice, switchAll()) },
  { name: 'exhaustAll', make: () => rxjsPipe(twice, exhaustAll()) },
  { name: 'expand', takesFunction: true, make: touch => expand(v => (touch(v) > 0 && v < 100 ? [v * 10] : EMPTY)) },
  { name: 'ignoreElements', make: () => ignoreElements() },
  { name: 'finalize', make: () => finalize(() => {}) },
  { name: 'timestamp', takesFunction: true, make: touch => timestamp({ now: () => touch(7) }) },
  { name: 'dematerialize', make: () => rxjsPipe(materialize(), dematerialize()) },
  { name: 'catchError', handlesErrors: true, make: () => catchError(() => of(-1)) },
  { name: 'throwIfEmpty', make: () => throwIfEmpty() },
  { name: 'observeOn (queueScheduler)', make: () => observeOn(queueScheduler) },
  { name: 'subscribeOn (queueScheduler)', make: () => subscribeOn(queueScheduler) },
  { name: 'delayWhen (of)', takesFunction: true, make: touch => delayWhen(v => of(touch(v))) },
  { name: 'debounce (of)', takesFunction: true, make: touch => debounce(v => of(touch(v))) },
  { name: 'audit (of)', takesFunction: true, make: touch => audit(v => of(touch(v))) },
  { name: 'throttle (of)', takesFunction: true, make: touch => throttle(v => of(touch(v))) },
];

const stateful: Omit<LiftedRow, 'class'>[] = [
  { name: 'scan', takesFunction: true, make: touch => scan((sum, v) => sum + touch(v), 0) },
  { name: 'mergeScan', takesFunction: true, make: touch => mergeScan((sum, v) => of(sum + touch(v)), 0) },
  { name: 'switchScan', takesFunction: true, make: touch => switchScan((sum, v) => of(sum + touch(v), v), 0) },
  { name: 'pairwise', make: () => pairwise() },
  { name: 'distinct', takesFunction: true, make: touch => distinct(v => touch(v) % 3) },
  {
    name: 'distinctUntilChanged',
    takesFunction: true,
    make: touch => distinctUntilChanged((a, b) => a >> 1 === touch(b) >> 1),
  },
  {
    name: 'distinctUntilKeyChanged',
    make: () =>
      rxjsPipe(
        map(v => ({ half: v >> 1 })),
        distinctUntilKeyChanged('half'),
      ),
  },
  { name: 'bufferCount', make: () => bufferCount(2) },
  { name: 'bufferCount (sliding)', make: () => bufferCount(3, 1) },
  {
    name: 'windowCount',
    make: () =>
      rxjsPipe(
        windowCount(2),
        mergeMap(window => window.pipe(toArray())),
      ),
  },
  {
    name: 'groupBy',
    takesFunction: true,
    make: touch =>
      rxjsPipe(
        groupBy(v => touch(v) % 2),
        mergeMap(group => group.pipe(scan((sum, v) => sum + v, 0))),
      ),
  },
  { name: 'skip', make: () => skip(2) },
  { name: 'skipLast', make: () => skipLast(2) },
  { name: 'skipWhile', takesFunction: true, make: touch => skipWhile(v => touch(v) < 3) },
  { name: 'skipUntil (of)', make: () => skipUntil(of(0)) },
  { name: 'withLatestFrom (of)', make: () => withLatestFrom(of('x')) },
  { name: 'combineLatestWith (of)', make: () => combineLatestWith(of('x', 'y')) },
  { name: 'share', make: () => share() },
  { name: 'shareReplay', make: () => shareReplay(2) },
  { name: 'connect', make: () => connect(shared => merge(shared, shared.pipe(map(v => -v)))) },
];

const endsEarly: Omit<LiftedRow, 'class'>[] = [
  { name: 'take', make: () => take(3) },
  { name: 'take (0)', make: () => take(0) },
  { name: 'takeWhile', takesFunction: true, make: touch => takeWhile(v => touch(v) < 4) },
  { name: 'takeWhile (inclusive)', takesFunction: true, make: touch => takeWhile(v => touch(v) < 4, true) },
  { name: 'first', make: () => first() },
  { name: 'first (predicate)', takesFunction: true, make: touch => first(v => touch(v) > 3) },
  { name: 'elementAt', make: () => elementAt(2) },
  { name: 'find', takesFunction: true, make: touch => find(v => touch(v) === 4) },
  { name: 'findIndex', takesFunction: true, make: touch => findIndex(v => touch(v) === 4) },
  { name: 'every (broken)', takesFunction: true, make: touch => every(v => touch(v) < 4) },
  { name: 'isEmpty', make: () => isEmpty() },
  { name: 'zipWith (of)', make: () => zipWith(of('a', 'b', 'c')) },
  { name: 'sequenceEqual (of)', make: () => sequenceEqual(of(1, 2, 9, 4)) },
  { name: 'takeUntil (of)', make: () => takeUntil(of(0)) },
];

const atCompletion: Omit<LiftedRow, 'class'>[] = [
  { name: 'reduce', takesFunction: true, make: touch => reduce((sum, v) => sum + touch(v), 0) },
  { name: 'toArray', make: () => toArray() },
  { name: 'count', make: () => count() },
  { name: 'min', make: () => min() },
  { name: 'max', make: () => max() },
  { name: 'last', make: () => last() },
  { name: 'takeLast', make: () => takeLast(2) },
  { name: 'single', takesFunction: true, make: touch => single(v => touch(v) === 4) },
  { name: 'every', takesFunction: true, make: touch => every(v => touch(v) > 0) },
  { name: 'endWith', make: () => endWith(8, 9) },
  { name: 'concatWith (of)', make: () => concatWith(of(8, 9)) },
  {
    name: 'defaultIfEmpty',
    make: () =>
      rxjsPipe(
        filter(v => v > 1000),
        defaultIfEmpty(8),
      ),
  },
  { name: 'materialize', handlesErrors: true, make: () => materialize() },
  { name: 'onErrorResumeNextWith (of)', handlesErrors: true, make: () => onErrorResumeNextWith(of(8, 9)) },
  { name: 'buffer (never)', make: () => buffer(NEVER) },
];

const atSubscription: Omit<RefusedRow, 'class'>[] = [
  { name: 'startWith', when: 'wiring', make: () => startWith(0) },
  { name: 'mergeWith (of)', when: 'wiring', make: () => mergeWith(of(0)) },
  { name: 'raceWith (of)', when: 'wiring', make: () => raceWith(of(0)) },
  { name: 'window', when: 'wiring', make: () => window(NEVER) },
];

const asynchronous: Omit<RefusedRow, 'class'>[] = [
  { name: 'bufferTime', when: 'wiring', make: () => bufferTime(10) },
  {
    name: 'windowTime',
    when: 'wiring',
    make: () =>
      rxjsPipe(
        windowTime(10),
        mergeMap(window => window),
      ),
  },
  { name: 'sampleTime', when: 'wiring', make: () => sampleTime(10) },
  { name: 'timeout', when: 'wiring', make: () => timeout(10) },
  { name: 'subscribeOn', when: 'wiring', make: () => subscribeOn(asyncScheduler) },
  { name: 'bufferWhen (timer)', when: 'wiring', make: () => bufferWhen(() => timer(10)) },
  { name: 'takeUntil (timer)', when: 'wiring', make: () => takeUntil(timer(10)) },
  { name: 'sample (interval)', when: 'wiring', make: () => sample(interval(10)) },
  { name: 'mergeWith (interval)', when: 'wiring', make: () => mergeWith(interval(10)) },
  { name: 'withLatestFrom (timer)', when: 'wiring', make: () => withLatestFrom(timer(10)) },
  { name: 'delay', when: 'record', make: () => delay(10) },
  { name: 'delay (queueScheduler)', when: 'record', make: () => delay(10, queueScheduler) },
  { name: 'debounceTime', when: 'record', make: () => debounceTime(10) },
  { name: 'throttleTime', when: 'record', emitsFirst: true, make: () => throttleTime(10) },
  { name: 'auditTime', when: 'record', make: () => auditTime(10) },
  { name: 'observeOn', when: 'record', make: () => observeOn(asyncScheduler) },
  { name: 'observeOn (asapScheduler)', when: 'record', make: () => observeOn(asapScheduler) },
  { name: 'delayWhen (timer)', when: 'record', make: () => delayWhen(() => timer(10)) },
  { name: 'debounce (timer)', when: 'record', make: () => debounce(() => timer(10)) },
  { name: 'switchMap (timer)', when: 'record', make: () => switchMap(() => timer(10)) },
  { name: 'repeat (delay)', when: 'completion', make: () => repeat({ count: 2, delay: 10 }) },
  { name: 'retry (delay)', when: 'error', make: () => retry({ count: 2, delay: 10 }) },
  { name: 'mergeMap (promise)', when: 'later', make: () => mergeMap(async v => v) },
  { name: 'concatMap (promise)', when: 'later', make: () => concatMap(async v => v) },
  { name: 'switchMap (promise)', when: 'later', make: () => switchMap(async v => v) },
  { name: 'exhaustMap (promise)', when: 'later', make: () => exhaustMap(async v => v) },
  { name: 'delayWhen (promise)', when: 'later', make: () => delayWhen(() => Promise.resolve()) },
  {
    name: 'mergeMap (async generator)',
    when: 'later',
    make: () =>
      mergeMap(async function* (v) {
        yield v;
      }),
  },
  { name: 'mergeWith (promise)', when: 'later', emitsFirst: true, make: () => mergeWith(Promise.resolve(0)) },
  { name: 'takeUntil (promise)', when: 'later', emitsFirst: true, make: () => takeUntil(Promise.resolve()) },
];

const combining: Omit<RefusedRow, 'class'>[] = [
  { name: 'mergeWith', when: 'wiring', make: other => mergeWith(other) },
  { name: 'combineLatestWith', when: 'wiring', make: other => combineLatestWith(other) },
  { name: 'withLatestFrom', when: 'wiring', make: other => withLatestFrom(other) },
  { name: 'zipWith', when: 'wiring', make: other => zipWith(other) },
  { name: 'raceWith', when: 'wiring', make: other => raceWith(other) },
  { name: 'takeUntil', when: 'wiring', make: other => takeUntil(other) },
  { name: 'skipUntil', when: 'wiring', make: other => skipUntil(other) },
  { name: 'buffer', when: 'wiring', make: other => buffer(other) },
  { name: 'bufferToggle', when: 'wiring', make: other => bufferToggle(other, () => NEVER) },
  { name: 'sample', when: 'wiring', make: other => sample(other) },
  { name: 'sequenceEqual', when: 'wiring', make: other => sequenceEqual(other) },
  { name: 'mergeMap (stream)', when: 'record', make: other => mergeMap(() => other) },
  { name: 'switchMap (stream)', when: 'record', make: other => switchMap(() => other) },
  { name: 'concatWith', when: 'completion', make: other => concatWith(other) },
  { name: 'onErrorResumeNextWith', when: 'completion', make: other => onErrorResumeNextWith(other) },
  { name: 'catchError (stream)', when: 'error', make: other => catchError(() => other) },
];

const resubscribing: Omit<RefusedRow, 'class'>[] = [
  { name: 'repeat', when: 'completion', make: () => repeat(2) },
  { name: 'retry', when: 'error', make: () => retry() },
  { name: 'retry (count)', when: 'error', make: () => retry(3) },
  { name: 'catchError (caught)', when: 'error', make: () => catchError((_error, caught) => caught) },
  { name: 'repeat (notifier)', when: 'completion', make: () => repeat({ delay: () => of(0) }) },
  { name: 'retry (notifier)', when: 'error', make: () => retry({ delay: () => of(0) }) },
  { name: 'merge (its source twice)', when: 'wiring', make: () => source => merge(source, source) },
  {
    name: 'mergeMap (its source)',
    when: 'record',
    make: () => mapToSource,
  },
];

/** A hand-written operator that subscribes its source once more at each record. */
function mapToSource(source: Observable<number>): Observable<number> {
  return new Observable(subscriber => source.pipe(mergeMap(() => source)).subscribe(subscriber));
}

export const liftedRows: readonly LiftedRow[] = [
  ...stateless.map(row => ({ ...row, class: 'stateless' as const })),
  ...stateful.map(row => ({ ...row, class: 'stateful' as const })),
  ...endsEarly.map(row => ({ ...row, class: 'ends early' as const })),
  ...atCompletion.map(row => ({ ...row, class: 'emits at completion' as const })),
];

export const refusedRows: readonly RefusedRow[] = [
  ...atSubscription.map(row => ({ ...row, class: 'emits at subscription' as const })),
  ...asynchronous.map(row => ({ ...row, class: 'asynchronous' as const })),
  ...combining.map(row => ({ ...row, class: 'combines streams' as const })),
  ...resubscribing.map(row => ({ ...row, class: 'subscribes again' as const })),
];

/** The RxJS operators of the rows, without the forms in brackets. */
export function operatorsOf(rows: readonly { readonly name: string }[]): readonly string[] {
  return [...new Set(rows.map(({ name }) => name.replace(/ \(.*/, '')))];
}
