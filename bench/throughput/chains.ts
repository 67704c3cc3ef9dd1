import { filter, groupBy, map, mergeMap, type Observable, scan as rxScan } from 'rxjs';
import type { DataStream } from 'tidemark';
import { keyBy, scan } from 'tidemark/operators';
import type { Payment } from './payments.ts';

/** One number: what left a chain, added up by its last operator. Chains that do the same must agree. */
export type Sum = Float64Array;

interface Total {
  payments: number;
  cents: number;
}

const none: Readonly<Total> = Object.freeze({ payments: 0, cents: 0 });
const withFee = (payment: Payment): Payment => ({ account: payment.account, cents: payment.cents + 1 });
const isPositive = (payment: Payment): boolean => payment.cents > 0;
const accountOf = (payment: Payment): string => payment.account;
const count = (n: number): number => n + 1;
const added = (total: Total, payment: Payment): Total => ({
  payments: total.payments + 1,
  cents: total.cents + payment.cents,
});
const addedInPlace = (total: Total, payment: Payment): void => {
  total.payments++;
  total.cents += payment.cents;
};

function numbersInto(sum: Sum): (n: number) => number {
  return n => {
    sum[0] = (sum[0] as number) + n;
    return n;
  };
}

function centsInto(sum: Sum): (total: Total) => number {
  return ({ cents }) => {
    sum[0] = (sum[0] as number) + cents;
    return cents;
  };
}

/** State by key in a Map that a closure holds: what one writes for speed where nothing has to survive. */
function byAccount<S>(reduce: (state: S, payment: Payment) => S, seed: S): (payment: Payment) => S {
  const states = new Map<string, S>();
  return payment => {
    const next = reduce(states.get(payment.account) ?? seed, payment);
    states.set(payment.account, next);
    return next;
  };
}

type Chain = (sum: Sum) => (input: Observable<Payment>) => Observable<number>;
type Pipeline = (sum: Sum) => (input: DataStream<Payment>) => DataStream<number, string>;

/** Chains of RxJS alone. */
export const plainChains = {
  'plain-count': sum => input =>
    input.pipe(map(withFee), filter(isPositive), map(byAccount(count, 0)), map(numbersInto(sum))),
  'plain-groupBy': sum => input =>
    input.pipe(
      map(withFee),
      filter(isPositive),
      groupBy(accountOf),
      mergeMap(group => group.pipe(rxScan(count, 0))),
      map(numbersInto(sum)),
    ),
  'plain-object': sum => input =>
    input.pipe(map(withFee), filter(isPositive), map(byAccount(added, none)), map(centsInto(sum))),
} as const satisfies Record<string, Chain>;

/** The same as jobs. */
export const jobChains = {
  'job-count': sum => input =>
    input.pipe(map(withFee), filter(isPositive), keyBy(accountOf), scan('count', count, 0), map(numbersInto(sum))),
  'job-object': sum => input =>
    input.pipe(
      map(withFee),
      filter(isPositive),
      keyBy(accountOf),
      scan('total', added, none, { update: 'return' }),
      map(centsInto(sum)),
    ),
  'job-draft': sum => input =>
    input.pipe(
      map(withFee),
      filter(isPositive),
      keyBy(accountOf),
      scan('total', addedInPlace, none),
      map(centsInto(sum)),
    ),
} as const satisfies Record<string, Pipeline>;

export type PlainName = keyof typeof plainChains;
export type JobName = keyof typeof jobChains;
export type VariantName = PlainName | JobName;
