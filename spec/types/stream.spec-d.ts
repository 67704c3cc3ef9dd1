// Checked by `tsc -p tsconfig.json`, not run: what is inferred of a stream's values and key, and what does not compile.
import {
  bufferCount,
  filter,
  map,
  mergeMap,
  scan as nativeScan,
  type Observable,
  type OperatorFunction,
  of,
  pairwise,
  pipe as rxjsPipe,
  take,
  tap,
  toArray,
} from 'rxjs';
import {
  actor,
  type DataStream,
  from,
  type Key,
  type KeyOrNone,
  type Op,
  type Side,
  type Sink,
  type Source,
  type StreamElement,
  side as sideTag,
  type,
} from '../../lib/index.ts';
import { distinct, keyBy, reduce, scan, side, to, union } from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Payment {
  readonly card: string;
  readonly cents: number;
}

declare const payments: DataStream<Payment>;
declare const byCard: DataStream<Payment, string>;
declare const byNumber: DataStream<Payment, number>;
declare const byPair: DataStream<Payment, readonly [string, number]>;

/** An actor that needs a key which is a text. */
const perCard = actor<Payment, { cents: number }, number, string>('per-card', {
  emits: type<number>(),
  initial: card => ({ cents: card.length }),
  receive(state, payment, ctx) {
    state.cents += payment.cents;
    ctx.emit(state.cents + ctx.key.length);
  },
});

/** An actor that takes any key, or none. */
const anyKey = actor<Payment, number, Payment>('any-key', {
  emits: type<Payment>(),
  initial: () => 0,
  receive(n, payment, ctx) {
    ctx.emit(payment);
    return n + 1;
  },
});

// --- sources
same<Same<ReturnType<typeof fromSource>, DataStream<Payment, undefined>>>();
function fromSource(source: Source<Payment>) {
  return from(source);
}
const fromObservable = from(of(1));
same<Same<typeof fromObservable, DataStream<number, undefined>>>();
async function* pages() {
  yield 'page';
}
const fromIterable = from(pages(), { name: 'pages' });
same<Same<typeof fromIterable, DataStream<string, undefined>>>();
from(of(1), { buffer: { size: 10, when: 'drop-oldest' } });
// @ts-expect-error: there is no such policy
from(of(1), { buffer: { size: 10, when: 'drop' } });
// @ts-expect-error: an array is no source
from([1, 2]);

// --- a stream is an Observable
const observable: Observable<Payment> = byCard;
void observable;
const elements: Observable<StreamElement<Payment>> = byCard.elements$;
void elements;
// Whoever does not look at the key takes a stream with any.
const anyStream: DataStream<unknown, KeyOrNone> = byCard;
void anyStream;
// @ts-expect-error: but not one whose key is another
const otherKey: DataStream<Payment, number> = byCard;
void otherKey;

// --- native operators and composites of them keep the key
const amounts = byCard.pipe(map(p => p.cents));
same<Same<typeof amounts, DataStream<number, string>>>();
const nine = byCard.pipe(
  filter(p => p.cents > 0),
  map(p => p.cents),
  tap(cents => cents.toFixed()),
  nativeScan((sum, cents) => sum + cents, 0),
  pairwise(),
  mergeMap(pair => pair),
  bufferCount(2),
  take(3),
  toArray(),
);
same<Same<typeof nine, DataStream<number[][], string>>>();
const composite = byCard.pipe(
  rxjsPipe(
    map((p: Payment) => p.cents),
    filter(cents => cents > 0),
  ),
);
same<Same<typeof composite, DataStream<number, string>>>();
declare const ownOperator: OperatorFunction<Payment, Date>;
const own = byPair.pipe(ownOperator);
same<Same<typeof own, DataStream<Date, readonly [string, number]>>>();
const unkeyed = payments.pipe(map(p => p.cents));
same<Same<typeof unkeyed, DataStream<number, undefined>>>();
const untouched = byCard.pipe();
same<Same<typeof untouched, DataStream<Payment, string>>>();
byCard.pipe(
  // @ts-expect-error: the second operator does not take what the first gives
  map(p => p.cents),
  map((text: string) => text.length),
);

// --- keyBy
const keyed = payments.pipe(keyBy(p => p.card));
same<Same<typeof keyed, DataStream<Payment, string>>>();
const pairs = payments.pipe(keyBy(p => [p.card, p.cents]));
same<Same<typeof pairs, DataStream<Payment, readonly [string, number]>>>();
const rekeyed = byCard.pipe(keyBy(p => p.cents));
same<Same<typeof rekeyed, DataStream<Payment, number>>>();
// @ts-expect-error: an object is no key
payments.pipe(keyBy(p => ({ card: p.card })));
// @ts-expect-error: a nested tuple is no key
payments.pipe(keyBy(p => [[p.card], p.cents]));

// --- actors need the key that they were written for
const totals = byCard.pipe(perCard);
same<Same<typeof totals, DataStream<number, string>>>();
const afterNative = payments.pipe(
  filter(p => p.cents > 0),
  keyBy(p => p.card),
  map(p => p),
  perCard,
  map(total => `${total}`),
);
same<Same<typeof afterNative, DataStream<string, string>>>();
// @ts-expect-error: the stream has no key
payments.pipe(perCard);
payments.pipe(
  // @ts-expect-error: the stream has no key, nor does it get one from native operators
  map(p => p),
  perCard,
);
// @ts-expect-error: the key is a number
byNumber.pipe(perCard);
// @ts-expect-error: the key is a tuple
byPair.pipe(perCard);
byCard.pipe(
  // @ts-expect-error: the key is a number behind this keyBy
  keyBy(p => p.cents),
  perCard,
);
byCard.pipe(
  // @ts-expect-error: the values are others
  map(p => p.cents),
  perCard,
);
payments.pipe(
  ownOperator,
  toArray(),
  // @ts-expect-error: the stream has no key behind any number of native operators
  map(() => ({ card: 'a', cents: 1 })),
  perCard,
);
// Made beforehand, an operator of RxJS says nothing of keys: a keyed actor behind it and a keyBy is found in two steps only.
declare const cleaned: OperatorFunction<Payment, Payment>;
const inTwoSteps = payments.pipe(keyBy(p => p.card)).pipe(cleaned, perCard);
same<Same<typeof inTwoSteps, DataStream<number, string>>>();
// @ts-expect-error: a type that is wished for gives no key
const wished: DataStream<Payment, string> = payments.pipe(map(p => p));
void wished;
// Functions that do not know the key keep it.
export function withoutSmall<K extends KeyOrNone>(stream: DataStream<Payment, K>): DataStream<number, K> {
  return stream
    .pipe(
      filter(p => p.cents > 100),
      distinct('seen', p => p.card),
      map(p => p),
    )
    .pipe(map(p => p.cents));
}
const fewer = withoutSmall(byCard);
same<Same<typeof fewer, DataStream<number, string>>>();
same<Same<ReturnType<typeof passing>, DataStream<Payment, undefined>>>();
function passing() {
  return payments.pipe(anyKey);
}
const passed = byNumber.pipe(anyKey);
same<Same<typeof passed, DataStream<Payment, number>>>();

// --- what an actor emits
const silent = byCard.pipe(
  actor<Payment, number>('silent', {
    initial: () => 0,
    receive(n, _payment, ctx) {
      // @ts-expect-error: without `emits` it emits nothing
      ctx.emit(n);
    },
  }),
);
same<Same<typeof silent, DataStream<never, string>>>();

// --- stateful operators take their name first, and keep the key
const sums = byCard.pipe(scan('sum', (sum, p) => sum + p.cents, 0));
same<Same<typeof sums, DataStream<number, string>>>();
const results = byCard.pipe(reduce('sum', (sum, p) => sum + p.cents, 0));
same<Same<typeof results, DataStream<number, string>>>();
const distinctOnes = byNumber.pipe(distinct('seen', p => p.card));
same<Same<typeof distinctOnes, DataStream<Payment, number>>>();
// @ts-expect-error: no name
byCard.pipe(scan((sum: number, p: Payment) => sum + p.cents, 0));
// @ts-expect-error: no name
byCard.pipe(reduce((sum: number, p: Payment) => sum + p.cents, 0));
// @ts-expect-error: no name
byCard.pipe(distinct((p: Payment) => p.card));
// @ts-expect-error: no name
actor({ initial: () => 0, receive: () => 0 });

// --- union
const both = union(byCard, amounts);
same<Same<typeof both, DataStream<Payment | number, string>>>();
const mixed = union(byCard, byNumber);
same<Same<typeof mixed, DataStream<Payment, string | number>>>();
// @ts-expect-error: some of it has no key
union(byCard, payments).pipe(perCard);
// @ts-expect-error: a plain Observable is no stream
union(byCard, of(1));

// --- sinks and side outputs
declare const sink: Sink<number>;
const tag = sideTag<Date>('dates');
same<Same<typeof tag, Side<Date>>>();
totals.pipe(to(sink));
// @ts-expect-error: the sink takes numbers
byCard.pipe(to(sink));
// @ts-expect-error: the tag is of dates
totals.pipe(to(tag));
const dates = byCard.side(tag);
same<Same<typeof dates, DataStream<Date, string>>>();
const piped = byCard.pipe(side(tag));
same<Same<typeof piped, DataStream<Date, string>>>();

// --- every operator function is an operator on streams
const native: Op<Payment, number> = map(p => p.cents);
void native;
const key: Key = ['a', 1, 2n, true];
void key;
