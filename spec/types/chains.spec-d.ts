// Checked by `tsc -p tsconfig.json`, not run: operators that take any key leave that of their input as it is, however many.
import { filter, map } from 'rxjs';
import { actor, type DataStream, type Key, type KeyOrNone, type Op } from '../../lib/index.ts';
import {
  aggregates,
  delay,
  distinct,
  enrich,
  keyBy,
  mapAsync,
  pairwise,
  scan,
  take,
  tumblingWindow,
  type WindowResult,
} from '../../operators/index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Payment {
  readonly card: string;
  readonly cents: number;
}

declare const payments: DataStream<Payment>;
declare const perCard: Op<Payment, Date, string>;
const anyKey = actor<Payment, number, Payment, KeyOrNone>('any key', { initial: () => 0, receive() {} });

const windows = payments.pipe(
  keyBy(p => p.card),
  take('first', 3),
  tumblingWindow('w', '1m', aggregates.count<Payment>()),
);
same<Same<typeof windows, DataStream<WindowResult<number, Key | undefined>, string>>>();

const many = payments.pipe(
  keyBy(p => [p.card, p.cents]),
  distinct('d', p => p.cents),
  map(p => p.cents),
  scan('sum', (sum, cents) => sum + cents, 0),
  delay('later', '1s'),
  filter(sum => sum > 0),
  pairwise('pairs'),
  mapAsync('call', async ([before, after]) => after - before),
);
same<Same<typeof many, DataStream<number, readonly [string, number]>>>();

const unkeyed = payments.pipe(take('a', 1), take('b', 1));
same<Same<typeof unkeyed, DataStream<Payment, undefined>>>();

const byCard = payments.pipe(
  keyBy(p => p.card),
  anyKey,
  anyKey,
);
same<Same<typeof byCard, DataStream<Payment, string>>>();
const dated = byCard.pipe(take('a', 1), distinct('d'), perCard, take('b', 1), take('c', 1));
same<Same<typeof dated, DataStream<Date, string>>>();
// @ts-expect-error: perCard needs a text as key, however many operators lie between
payments.pipe(take('a', 1), distinct('d'), perCard);
const byCents = payments.pipe(
  keyBy(p => p.cents),
  take('a', 1),
  distinct('d'),
);
// @ts-expect-error: another type of key
enrich('e', byCard, byCents, { asOf: 'latest' });
