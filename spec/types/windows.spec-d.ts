// Checked by `tsc -p tsconfig.json`, not run: what windows and map states infer, and what does not compile.
import { actor, type DataStream, mapState, type Op, side, type } from '../../lib/index.ts';
import {
  aggregates,
  countWindow,
  evictors,
  globalWindow,
  sessionWindow,
  slidingWindow,
  tumblingWindow,
  type WindowResult,
} from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Bid {
  readonly auction: number;
  readonly price: number;
}

declare const bids: DataStream<Bid, string>;

const counts = bids.pipe(tumblingWindow('counts', '1m', aggregates.count()));
same<Same<typeof counts, DataStream<WindowResult<number>, string>>>();

const means = bids.pipe(
  slidingWindow(
    'means',
    '1m',
    '10s',
    aggregates.mean((bid: Bid) => bid.price),
  ),
);
same<Same<typeof means, DataStream<WindowResult<number>, string>>>();

const highest = tumblingWindow(
  'highest',
  60_000,
  aggregates.topN(3, (bid: Bid) => bid.price),
  {
    late: side<Bid>('late'),
    lateness: '5s',
  },
);
same<Same<typeof highest, Op<Bid, WindowResult<readonly Bid[]>>>>();

const evicted = bids.pipe(
  tumblingWindow(
    'evicted',
    '1m',
    aggregates.whole((some: readonly Bid[]) => some.length),
    { evict: evictors.count(3) },
  ),
);
same<Same<typeof evicted, DataStream<WindowResult<number>, string>>>();
bids.pipe(sessionWindow('evicted', '1m', aggregates.all<Bid>(), { evict: evictors.time('10s') }));
bids.pipe(
  countWindow('evicted', 3, aggregates.all<Bid>(), { evict: evictors.delta(5, (a, b: Bid) => b.price - a.price) }),
);
bids.pipe(
  globalWindow('evicted', aggregates.all<Bid>(), {
    records: 3,
    evict: (elements, { end }) => elements.filter(({ value, timestamp }) => value.price > 5 && timestamp < end),
  }),
);
bids.pipe(
  // @ts-expect-error: it has to answer the elements, not their values
  sessionWindow('evicted', '1m', aggregates.all<Bid>(), { evict: elements => elements.map(({ value }) => value) }),
);
// @ts-expect-error: the values are bids, and no numbers
sessionWindow('evicted', '1m', aggregates.all<Bid>(), { evict: evictors.delta(5, (a: number, b: number) => b - a) });

// @ts-expect-error: no duration
tumblingWindow('counts', '1 minute', aggregates.count());
// @ts-expect-error: late records are bids
const wrongSide: Parameters<typeof tumblingWindow<Bid, number, number>>[3] = { late: side<string>('late') };
void wrongSide;

actor('visits', {
  emits: type<number>(),
  states: { byAuction: mapState<number, Bid>() },
  initial: () => 0,
  receive(_state, bid: Bid, { states: { byAuction }, emit }) {
    byAuction.set(bid.auction, bid);
    same<Same<ReturnType<typeof byAuction.get>, Bid | undefined>>();
    emit(byAuction.size);
    // @ts-expect-error: its entries are numbers
    byAuction.get('1');
    // @ts-expect-error: its values are bids
    byAuction.set(1, 'a bid');
  },
});

actor('stateless', {
  initial: () => 0,
  receive(_state, _bid: Bid, ctx) {
    // @ts-expect-error: it declares no states
    ctx.states.byAuction;
  },
});
