import { expectTypeOf, test } from 'vitest';
import { type DataStream, type Key, side } from '../../lib/index.ts';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  sessionWindow,
  type WindowResult,
  watermarks,
} from '../../operators/index.ts';

declare const readings: DataStream<{ sensor: string; at: number }>;

test('assignTimestamps knows the values of its source, and leaves them as they are', () => {
  const timed = readings.pipe(
    assignTimestamps({ timestamp: reading => reading.at, watermarks: watermarks.boundedOutOfOrderness('5s') }),
  );
  expectTypeOf(timed).toMatchTypeOf<DataStream<{ sensor: string; at: number }>>();
  // @ts-expect-error it has no such field
  readings.pipe(assignTimestamps({ timestamp: reading => reading.time, watermarks: watermarks.monotonous() }));
  // @ts-expect-error the time is a number
  readings.pipe(assignTimestamps({ timestamp: reading => reading.sensor, watermarks: watermarks.monotonous() }));
  // @ts-expect-error without watermarks there is no event time
  readings.pipe(assignTimestamps({ timestamp: reading => reading.at }));
});

test('a strategy of its own remembers JSON', () => {
  watermarks.custom({ init: () => 0, next: (highest, time) => Math.max(highest, time), watermark: state => state });
  // @ts-expect-error what it remembers stays of one type
  watermarks.custom({ init: () => 0, next: () => 'later', watermark: state => state });
});

test('sessions give results of the type of their aggregate', () => {
  const sessions = readings.pipe(
    keyBy(reading => reading.sensor),
    sessionWindow('s', reading => reading.at, aggregates.count(), { late: side('late') }),
  );
  expectTypeOf(sessions).toMatchTypeOf<DataStream<WindowResult<number, Key | undefined>, string>>();
});
