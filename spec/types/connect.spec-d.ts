// Checked by `tsc -p tsconfig.json`, not run: what `connect` infers, and what does not compile.
import { type DataStream, mapState, type } from '../../lib/index.ts';
import { connect } from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Payment {
  readonly card: string;
  readonly cents: number;
}
interface Limit {
  readonly cents: number;
}

declare const payments: DataStream<Payment, string>;
declare const limits: DataStream<Limit, string>;
declare const byNumber: DataStream<Limit, number>;

const above = connect('above-limit', payments, limits, {
  emits: type<Payment>(),
  initial: card => ({ limit: card.length }),
  left(state, payment, ctx) {
    if (payment.cents > state.limit) ctx.emit(payment);
    same<Same<typeof ctx.key, string>>();
  },
  right(state, limit) {
    state.limit = limit.cents;
  },
});
same<Same<typeof above, DataStream<Payment, string>>>();

// @ts-expect-error: the streams have keys of two types
connect('other-keys', payments, byNumber, { initial: () => 0, left: () => {}, right: () => {} });

connect('wrong-output', payments, limits, {
  emits: type<string>(),
  initial: () => 0,
  left(_state, payment, ctx) {
    // @ts-expect-error: it emits texts
    ctx.emit(payment.cents);
  },
  right: () => {},
});

connect('with-entries', payments, limits, {
  states: { byCents: mapState<number, Payment>() },
  initial: () => undefined,
  left(_state, payment, { states: { byCents } }) {
    byCents.set(payment.cents, payment);
    // @ts-expect-error: its entries are numbers
    byCents.get('1');
  },
  right: () => {},
});
