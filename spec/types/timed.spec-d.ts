// Checked by `tsc -p tsconfig.json`, not run: what operators on time infer, and what does not compile.
import type { DataStream, Key } from '../../lib/index.ts';
import {
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  sampleTime,
  throttleTime,
  timeout,
} from '../../operators/index.ts';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_ extends true>(): void {}

interface Bid {
  readonly auction: number;
  readonly price: number;
}

declare const bids: DataStream<Bid, string>;

const calm = bids.pipe(debounceTime('a', '5s'));
const throttled = bids.pipe(throttleTime('b', 5, { leading: false, trailing: true }));
const audited = bids.pipe(auditTime('c', '1m'));
const sampled = bids.pipe(sampleTime('d', '1m', { time: 'event' }));
const held = bids.pipe(delay('e', new Date()));
const later = bids.pipe(delay('f', '2h'));
same<Same<typeof calm, DataStream<Bid, string>>>();
same<Same<typeof throttled, DataStream<Bid, string>>>();
same<Same<typeof audited, DataStream<Bid, string>>>();
same<Same<typeof sampled, DataStream<Bid, string>>>();
same<Same<typeof held, DataStream<Bid, string>>>();
same<Same<typeof later, DataStream<Bid, string>>>();

const buffered = bids.pipe(bufferTime('g', '1m', { maxBufferSize: 10 }));
same<Same<typeof buffered, DataStream<Bid[], string>>>();

const alive = bids.pipe(timeout('h', '1m'));
same<Same<typeof alive, DataStream<Bid, string>>>();

const silent = bids.pipe(timeout('i', '1m', { with: 'silent' as const }));
same<Same<typeof silent, DataStream<Bid | 'silent', string>>>();

const told = bids.pipe(
  timeout('j', '1m', {
    with({ key, lastValue }) {
      same<Same<typeof key, Key | undefined>>();
      same<Same<typeof lastValue, Bid>>();
      return lastValue.price;
    },
  }),
);
same<Same<typeof told, DataStream<Bid | number, string>>>();

// @ts-expect-error: no duration
debounceTime('k', '5 seconds');
// @ts-expect-error: a name comes first
auditTime(5);
// @ts-expect-error: no time
sampleTime('l', 5, { time: 'wall' });
// @ts-expect-error: dates are for delay
throttleTime('m', new Date());
