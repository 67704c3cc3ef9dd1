import { type Duration, JobDefinitionError, type Op, type WatermarkStrategy, withEventTime } from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';
import { msOf } from './windows/options.ts';

export interface TimestampOptions<T> {
  /**
   * The event time of a value, in ms since 1970; `undefined` where it has none. `given` is what the source says (of Kafka, the
   * time of the record; `NaN` where it says nothing), and stands when this is left out.
   */
  readonly timestamp?: (value: T, given: number) => number | undefined;
  /** How far the records of one partition are in time: one of `watermarks`. */
  readonly watermarks: WatermarkStrategy<NoInfer<T>>;
  /**
   * A partition that had no record for so long, and none waiting, holds the watermark back no more until its next one. Left
   * out: it does for ever.
   */
  readonly idleAfter?: Duration;
  /**
   * Sources of the job with the same `group` (default: all that have an alignment), and their partitions, wait for one
   * another: one that is more than `maxDrift` ahead of the lowest watermark is not read on.
   */
  readonly alignment?: { readonly group?: string; readonly maxDrift: Duration };
}

/**
 * Gives the records of a source their event times, and makes its watermark: the lowest of its partitions.
 *
 *     in   -a----b-----c--|      a at 3 ms, b at 9, c at 5; bounded out-of-orderness of 2 ms
 *     out  -(a0)-(b6)--c--|      0 and 6 are watermarks, each behind its record
 *
 * Stands directly behind `from(source)`. *Emits when* a record arrives; a watermark follows when the batch of the source that
 * raised it was handled. *State:* what the strategy remembers of each partition, in the checkpoint of the source.
 * *Fails when* `timestamp` throws or answers what is no time, and, when the job is declared, behind anything but a source.
 */
export function assignTimestamps<T>(options: TimestampOptions<T>): Op<T, T> {
  knownOptions('assignTimestamps', options, ['timestamp', 'watermarks', 'idleAfter', 'alignment']);
  const { timestamp, watermarks, alignment } = options;
  if (timestamp !== undefined && typeof timestamp !== 'function') {
    throw new JobDefinitionError('assignTimestamps: "timestamp" is no function of a value.');
  }
  if (typeof watermarks?.watermark !== 'function') {
    throw new JobDefinitionError(
      'assignTimestamps: "watermarks" is missing: give watermarks.monotonous(), watermarks.boundedOutOfOrderness("5s") or one of your own.',
    );
  }
  const idleAfterMs = msOf('assignTimestamps', 'idleAfter', options.idleAfter, 1);
  const maxDriftMs = msOf('assignTimestamps', 'alignment.maxDrift', alignment?.maxDrift, 1);
  if (alignment && maxDriftMs === undefined) {
    throw new JobDefinitionError('assignTimestamps: "alignment" needs "maxDrift", such as { maxDrift: "1m" }.');
  }
  const eventTime = {
    timestamp,
    strategy: watermarks,
    idleAfterMs,
    alignment: maxDriftMs === undefined ? undefined : { group: alignment?.group ?? 'default', maxDriftMs },
  };
  return (input => withEventTime(input, eventTime, 'assignTimestamps()')) as Op<T, T>;
}
