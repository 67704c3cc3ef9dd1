import { type Duration, JobDefinitionError, type Json, type WatermarkStrategy } from '../../lib/index.ts';
import { msOf } from '../windows/options.ts';

/** For partitions whose records come in order of their times: the watermark is just before the last one. */
export function monotonous(): WatermarkStrategy<unknown> {
  return bounded(0);
}

/**
 * For partitions whose records come at most `bound` (ms, or a text such as `'5s'`) later than one with a higher time: the
 * watermark is so far behind the highest time. Throws `JobDefinitionError` when `bound` is no duration in whole ms.
 */
export function boundedOutOfOrderness(bound: Duration): WatermarkStrategy<unknown> {
  const ms = msOf('boundedOutOfOrderness', 'the bound', bound, 0);
  if (ms === undefined) {
    throw new JobDefinitionError('boundedOutOfOrderness needs its bound: ms, or a text such as "5s".');
  }
  return bounded(ms);
}

/** See `WatermarkStrategy`. */
export interface CustomWatermarks<T, S> {
  init(): S;
  next(state: S, timestamp: number, value: T): S;
  watermark(state: S): number;
}

/**
 * A strategy of your own, such as for records that themselves say how far the input is. What it remembers of a partition is
 * JSON, and part of each checkpoint; `next` answers a new one and leaves the old one as it was.
 */
export function custom<T, S>(strategy: CustomWatermarks<T, S>): WatermarkStrategy<T> {
  for (const name of ['init', 'next', 'watermark'] as const) {
    if (typeof strategy[name] === 'function') continue;
    throw new JobDefinitionError(`watermarks.custom: "${name}" is missing, or is no function.`);
  }
  const { init, next, watermark } = strategy;
  return {
    init: init as () => Json,
    next: (state, timestamp, value) => next(state as S, timestamp, value) as Json,
    watermark: state => watermark(state as S),
  };
}

const bounded = (bound: number): WatermarkStrategy<unknown> => ({
  bound,
  init: () => null,
  next: state => state,
  watermark: () => Number.NEGATIVE_INFINITY,
});
