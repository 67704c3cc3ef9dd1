// Checked by `tsc -p tsconfig.json`, not run: what the namesakes of RxJS's operators infer, and what does not compile.
import type { DataStream } from '../../lib/index.ts';
import {
  bufferCount,
  distinctUntilChanged,
  first,
  keyBy,
  pairwise,
  skip,
  startWith,
  take,
  takeWhile,
} from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Payment {
  readonly card: string;
  readonly cents: number;
}
interface Refund extends Payment {
  readonly of: string;
}

declare const payments: DataStream<Payment>;
declare const byCard: DataStream<Payment, string>;
declare const maybe: DataStream<Payment | null, string>;
declare const isRefund: (payment: Payment) => payment is Refund;

// --- they keep the key
const changed = byCard.pipe(distinctUntilChanged('changed', (p, q) => p.cents === q.cents));
same<Same<typeof changed, DataStream<Payment, string>>>();
const changedCents = byCard.pipe(
  distinctUntilChanged(
    'changed',
    (p: number, q: number) => p === q,
    payment => payment.cents,
  ),
);
same<Same<typeof changedCents, DataStream<Payment, string>>>();
const plain = payments.pipe(distinctUntilChanged('changed'));
same<Same<typeof plain, DataStream<Payment, undefined>>>();
const pairs = byCard.pipe(pairwise('pairs'));
same<Same<typeof pairs, DataStream<[Payment, Payment], string>>>();
const buffers = byCard.pipe(bufferCount('buffers', 3, 1));
same<Same<typeof buffers, DataStream<Payment[], string>>>();
const others = byCard.pipe(skip('others', 1));
same<Same<typeof others, DataStream<Payment, string>>>();
const few = byCard.pipe(take('few', 1));
same<Same<typeof few, DataStream<Payment, string>>>();
const keyed = payments.pipe(
  take('few', 1),
  keyBy(payment => payment.card),
  pairwise('pairs'),
);
same<Same<typeof keyed, DataStream<[Payment, Payment], string>>>();

// --- takeWhile
const small = byCard.pipe(takeWhile('small', payment => payment.cents < 100, true));
same<Same<typeof small, DataStream<Payment, string>>>();
const refunds = byCard.pipe(takeWhile('refunds', isRefund));
same<Same<typeof refunds, DataStream<Refund, string>>>();
const present = maybe.pipe(takeWhile('present', Boolean));
same<Same<typeof present, DataStream<Payment, string>>>();
const presentAndOne = maybe.pipe(takeWhile('present', Boolean, true));
same<Same<typeof presentAndOne, DataStream<Payment | null, string>>>();

// --- first
const one = byCard.pipe(first('one'));
same<Same<typeof one, DataStream<Payment, string>>>();
const large = byCard.pipe(first('large', (payment, index) => payment.cents > index));
same<Same<typeof large, DataStream<Payment, string>>>();
const largeOrNone = byCard.pipe(first('large', payment => payment.cents > 100, null));
same<Same<typeof largeOrNone, DataStream<Payment | null, string>>>();
const oneOrNone = byCard.pipe(first('one', null, 'none'));
same<Same<typeof oneOrNone, DataStream<Payment | string, string>>>();
const refund = byCard.pipe(first('refund', isRefund));
same<Same<typeof refund, DataStream<Refund, string>>>();
const refundOrNone = byCard.pipe(first('refund', isRefund, null));
same<Same<typeof refundOrNone, DataStream<Refund | null, string>>>();
const firstPresent = maybe.pipe(first('present', Boolean));
same<Same<typeof firstPresent, DataStream<Payment, string>>>();

// --- startWith
const withNumber = byCard.pipe(startWith('start', 1, 'a'));
same<Same<typeof withNumber, DataStream<Payment | number | string, string>>>();
const withNull = byCard.pipe(startWith('start', null));
same<Same<typeof withNull, DataStream<Payment | null, string>>>();
const withUndefined = byCard.pipe(startWith('start', undefined));
same<Same<typeof withUndefined, DataStream<Payment | undefined, string>>>();

// @ts-expect-error: no name
byCard.pipe(take(1));
// @ts-expect-error: no name
byCard.pipe(skip(1));
// @ts-expect-error: no name
byCard.pipe(pairwise());
// @ts-expect-error: no name
byCard.pipe(bufferCount(2));
// @ts-expect-error: no name
byCard.pipe(takeWhile((payment: Payment) => payment.cents > 1));
// @ts-expect-error: no name
byCard.pipe(first((payment: Payment) => payment.cents > 1));
// @ts-expect-error: no name
byCard.pipe(distinctUntilChanged((p: Payment, q: Payment) => p.cents === q.cents));
// @ts-expect-error: a selector needs a comparator of what it selects
byCard.pipe(distinctUntilChanged('changed', undefined, (payment: Payment) => payment.cents));
// @ts-expect-error: no number of records
byCard.pipe(bufferCount('buffers'));
