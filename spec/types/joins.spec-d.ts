// Checked by `tsc -p tsconfig.json`, not run: what joins infer, and what does not compile.
import { type DataStream, side, type } from '../../lib/index.ts';
import { broadcast, coGroup, enrich, intervalJoin, windowJoin } from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Order {
  readonly id: string;
  readonly cents: number;
}
interface Payment {
  readonly order: string;
}

declare const orders: DataStream<Order, string>;
declare const payments: DataStream<Payment, string>;
declare const removable: DataStream<Payment | null, string>;
declare const byNumber: DataStream<Payment, number>;

const near = { lower: 0, upper: '5m' } as const;
const inner = intervalJoin('inner', orders, payments, near);
same<Same<typeof inner, DataStream<[left: Order, right: Payment], string>>>();

const left = intervalJoin('left', orders, payments, { ...near, lower: '-5m', type: 'left' });
same<Same<typeof left, DataStream<[left: Order, right: Payment | undefined], string>>>();

const paid = windowJoin('paid', orders, payments, {
  size: '1h',
  type: 'full',
  result(order, payment) {
    same<Same<typeof order, Order | undefined>>();
    same<Same<typeof payment, Payment | undefined>>();
    return order?.cents ?? 0;
  },
});
same<Same<typeof paid, DataStream<number, string>>>();

const sums = coGroup('sums', orders, payments, {
  size: '1h',
  slide: '10m',
  result: (key, orders, payments, window) => {
    same<Same<typeof key, string>>();
    same<Same<typeof orders, readonly Order[]>>();
    same<Same<typeof payments, readonly Payment[]>>();
    return { key, at: window.end, open: orders.length - payments.length };
  },
});
same<Same<typeof sums, DataStream<{ key: string; at: number; open: number }, string>>>();

const many = coGroup('many', orders, payments, { size: '1h', result: (_key, orders) => orders.map(({ id }) => id) });
same<Same<typeof many, DataStream<string, string>>>();
const texts = coGroup('texts', orders, payments, { size: '1h', result: key => key });
same<Same<typeof texts, DataStream<string, string>>>();

const enriched = enrich('enriched', orders, removable, {
  asOf: 'record',
  deletes: payment => payment.order === '',
  late: side<Order>('late'),
});
same<Same<typeof enriched, DataStream<[left: Order, right: Payment], string>>>();
const maybe = enrich('maybe', orders, removable, {
  asOf: 'latest',
  type: 'left',
  result: (order, payment) => (payment === undefined ? order.id : payment.order),
});
same<Same<typeof maybe, DataStream<string, string>>>();

// @ts-expect-error: the streams have keys of two types
intervalJoin('other-keys', orders, byNumber, near);
// @ts-expect-error: it has no size
windowJoin('no-size', orders, payments, { type: 'inner' });
// @ts-expect-error: there is no full join with a table
enrich('full', orders, removable, { asOf: 'latest', type: 'full' });
// @ts-expect-error: it has to be said which value of the table counts
enrich('as-of', orders, removable, {});
// @ts-expect-error: late records on the right are payments
intervalJoin('late', orders, payments, { ...near, lateRight: side<Order>('late') });

interface Limit {
  readonly cents: number;
}
declare const limits: DataStream<Limit>;
declare const limitsByKey: DataStream<Limit, string>;

const above = broadcast('above', orders, limits, {
  emits: type<Order>(),
  initial: () => 0,
  rule: (most, limit) => Math.max(most, limit.cents),
  receive(most, order, ctx) {
    same<Same<typeof ctx.key, string>>();
    if (order.cents > most) ctx.emit(order);
    // @ts-expect-error: it emits orders
    ctx.emit(most);
  },
});
same<Same<typeof above, DataStream<Order, string>>>();

// @ts-expect-error: rules have no key
broadcast('keyed-rules', orders, limitsByKey, { initial: () => 0, rule: most => most, receive: () => {} });
