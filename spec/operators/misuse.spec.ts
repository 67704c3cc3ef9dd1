import { asyncScheduler, EMPTY } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type DataStream, from, JobDefinitionError } from '../../lib/index.ts';
import * as operators from '../../operators/index.ts';

// As it is written without types, or with options that were put together elsewhere.
type Untyped = Record<string, (...given: unknown[]) => (stream: unknown) => unknown>;
const typed = operators as unknown as Untyped;
const op = (name: string, ...given: unknown[]) => (typed[name] as Untyped[string])(...given);

const stream: DataStream<number> = from(EMPTY, { name: 'numbers' });
const { aggregates } = operators;
const count = aggregates.count();
const call = async () => 1;

describe('what is misunderstood', () => {
  it.each<[why: string, message: RegExp, name: string, ...given: unknown[]]>([
    [
      'an aggregate that was not called',
      /aggregate is a function: call it/,
      'tumblingWindow',
      'w',
      '1s',
      aggregates.count,
    ],
    ['a missing aggregate', /\("w"\) needs an aggregate/, 'slidingWindow', 'w', '2s', '1s'],
    ['a missing aggregate', /\("w"\) needs an aggregate/, 'sessionWindow', 'w', '1s'],
    ['a missing aggregate', /\("w"\) needs an aggregate/, 'countWindow', 'w', 3],
    ['swapped arguments', /\("w"\) needs an aggregate.*no init, add/, 'globalWindow', 'w', { records: 2 }, count],
    ['a missing trigger', /options are missing/, 'globalWindow', 'w', count],
    ['a missing size', /needs its size/, 'tumblingWindow', 'w', undefined, count],
    ['a missing gap', /needs its gap/, 'sessionWindow', 'w', undefined, count],
    ['a time with a typo', /time is "proccessing"/, 'tumblingWindow', 'w', '1s', count, { time: 'proccessing' }],
    [
      'lateness by the clock',
      /lateness is for event/,
      'tumblingWindow',
      'w',
      1,
      count,
      { time: 'processing', lateness: 1 },
    ],
    ['a tag that is a text', /late is no side output/, 'sessionWindow', 'w', '1s', count, { late: 'late' }],
    ['an option with a typo', /no option "latness"/, 'slidingWindow', 'w', 2, 1, count, { latness: '5s' }],
    ['an option of another window', /no option "offset"/, 'sessionWindow', 'w', 1, count, { offset: 1 }],
    ['an option with a typo', /no option "timestamps"/, 'assignTimestamps', { timestamps: () => 1 }],
    ['a function for options', /options are a function/, 'assignTimestamps', () => 1],
    ['an option with a typo', /no option "concurency"/, 'mapAsync', 'm', call, { concurency: 4 }],
    ['a number for retry', /retry: its options are 3/, 'mapAsync', 'm', call, { retry: 3 }],
    ['a value for fallback', /fallback is no function/, 'mapAsync', 'm', call, { fallback: 0 }],
    ['missing options', /options are missing/, 'intervalJoin', 'j', stream, stream],
    ['an option with a typo', /no option "lateness"/, 'intervalJoin', 'j', stream, stream, { lateness: 1 }],
    ['missing options', /options are missing/, 'windowJoin', 'j', stream, stream],
    ['missing options', /options are missing/, 'coGroup', 'j', stream, stream],
    ['a join in pipe', /options are missing/, 'enrich', 'j', stream, { asOf: 'latest' }],
    ['an option of global windows', /no option "purge"/, 'countWindow', 'w', 3, count, { purge: true }],
    ['an option with a typo', /early has no option "evry"/, 'sessionWindow', 'w', 1, count, { early: { evry: 1 } }],
    [
      'an option with a typo',
      /no option "trailin", did you mean "trailing"/,
      'throttleTime',
      't',
      1,
      { trailin: true },
    ],
    ['an option with a typo', /did you mean "maxBufferSize"/, 'bufferTime', 'b', 1, { maxBuferSize: 3 }],
    ['an option of the native one', /no option "first": it knows time, with/, 'timeout', 't', 1, { first: 1 }],
    ['a scheduler for options', /no option "\w+": it knows time/, 'debounceTime', 'd', 1, asyncScheduler],
    [
      'an option with a typo',
      /no option "updates", did you mean "update"/,
      'scan',
      's',
      call,
      0,
      { updates: 'return' },
    ],
    ['an option with a typo', /no option "migrat", did you mean "migrate"/, 'reduce', 'r', call, 0, { migrat: call }],
    ...['delay', 'debounceTime', 'auditTime', 'sampleTime', 'bufferTime', 'throttleTime', 'timeout'].map(
      (name): [string, RegExp, string, string, number, object] => [
        'an option with a typo',
        /^\w+\("d"\) has no option "tiem", did you mean "time"\?/,
        name,
        'd',
        1,
        { tiem: 'event' },
      ],
    ),
    ...['delay', 'bufferTime', 'debounceTime', 'throttleTime', 'auditTime', 'sampleTime', 'timeout'].map(
      (name): [string, RegExp, string, string] => ['a missing duration', /needs its \w+ behind the name/, name, 'd'],
    ),
  ])('%s is refused when it is declared: %s', (_why, message, name, ...given) => {
    const declare = () => op(name, ...given)(stream);
    expect(declare).toThrow(JobDefinitionError);
    expect(declare).toThrow(message);
  });

  it('a missing bound is refused', () => {
    expect(() => operators.watermarks.boundedOutOfOrderness(undefined as never)).toThrow(/needs its bound/);
  });
});
