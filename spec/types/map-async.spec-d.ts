// Checked by `tsc -p tsconfig.json`, not run: what `mapAsync` infers, and what does not compile.
import type { DataStream, Key, Op } from '../../lib/index.ts';
import { keyBy, mapAsync } from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Order {
  readonly id: string;
}

declare const orders: DataStream<Order>;

const prices = orders.pipe(
  keyBy(order => order.id),
  mapAsync('price', async (order, { key, signal, attempt }) => {
    same<Same<typeof order, Order>>();
    same<Same<typeof key, Key | undefined>>();
    same<Same<typeof signal, AbortSignal>>();
    same<Same<typeof attempt, number>>();
    return order.id.length;
  }),
);
same<Same<typeof prices, DataStream<number, string>>>();

const unkeyed = orders.pipe(mapAsync('price', (order: Order) => Promise.resolve(order.id), { ordered: false }));
same<Same<typeof unkeyed, DataStream<string>>>();

const named = mapAsync('price', async (order: Order) => order.id, {
  timeout: '5s',
  retry: { attempts: 3, backoff: { initial: '10ms' }, when: error => error instanceof TypeError },
  fallback: (_error, order) => order.id,
});
same<Same<typeof named, Op<Order, string>>>();

// @ts-expect-error: the call is asynchronous
mapAsync('price', (order: Order) => order.id);
// @ts-expect-error: the fallback gives what the call gives
mapAsync('price', async (order: Order) => order.id, { fallback: () => 0 });
// @ts-expect-error: there is no state that could be reset
mapAsync('price', async (order: Order) => order.id, { supervise: 'reset' });
// @ts-expect-error: no duration
mapAsync('price', async (order: Order) => order.id, { timeout: '5 seconds' });
