// Checked by `tsc -p tsconfig.json`, not run: what handlers are given for the states that an actor declares.
import { actor, aggregatingState, type ListState, listState, type, valueState } from '../../lib/index.ts';
import { aggregates } from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Payment {
  readonly cents: number;
}

actor('kinds', {
  emits: type<number>(),
  states: {
    last: valueState<Payment>(),
    waiting: listState<Payment>(),
    mean: aggregatingState(aggregates.mean((payment: Payment) => payment.cents)),
    names: aggregatingState({
      init: () => '',
      add: (names: string, name: string) => names + name,
      result: (names: string) => names.length,
    }),
  },
  initial: () => 0,
  receive(_state, payment: Payment, { states: { last, waiting, mean, names } }) {
    last.set(payment);
    waiting.append(payment);
    mean.add(payment);
    names.add('a');
    same<Same<ReturnType<typeof last.get>, Payment | undefined>>();
    same<Same<typeof waiting, ListState<Payment>>>();
    same<Same<ReturnType<typeof mean.get>, number | undefined>>();
    same<Same<ReturnType<typeof names.get>, number | undefined>>();
    for (const { cents } of waiting) same<Same<typeof cents, number>>();
    // @ts-expect-error: its values are payments
    last.set(7);
    // @ts-expect-error: its elements are payments
    waiting.append('a payment');
    // @ts-expect-error: it counts payments
    mean.add(7);
    // @ts-expect-error: it adds texts
    names.add(payment);
  },
});

// @ts-expect-error: an aggregate has a result
aggregatingState({ init: () => 0, add: (total: number, n: number) => total + n });

valueState<Payment>({ ttl: { after: '10m', since: 'read', on: 'event' } });
// @ts-expect-error: no duration
listState<Payment>({ ttl: { after: '10 minutes' } });
// @ts-expect-error: no such beginning
listState<Payment>({ ttl: { after: 10, since: 'birth' } });
actor('expiring', { ttl: { after: '1d' }, initial: () => 0, receive(_state, _payment: Payment) {} });
// @ts-expect-error: it needs to know after what time
actor('expiring', { ttl: { since: 'read' }, initial: () => 0, receive(_state, _payment: Payment) {} });
