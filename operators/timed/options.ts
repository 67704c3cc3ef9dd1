import { JobDefinitionError } from '../../lib/index.ts';
import { knownOptions } from '../options/known-options.ts';

export interface TimedOptions {
  /** Which time counts: the clock at which records come in (default), or that of the records. */
  readonly time?: 'processing' | 'event';
}

export type Clock = NonNullable<TimedOptions['time']>;

/** Refuses options that are neither `time` nor one of `others`. */
export function clockOf(operator: string, options: TimedOptions, others: readonly string[] = []): Clock {
  knownOptions(operator, options, ['time', ...others]);
  const { time = 'processing' } = options;
  if (time === 'processing' || time === 'event') return time;
  throw new JobDefinitionError(
    `${operator}: time is ${JSON.stringify(time)}: give 'processing' (the clock, which is the default) or 'event' (the times of the records).`,
  );
}
