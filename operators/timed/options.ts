import { JobDefinitionError } from '../../lib/index.ts';

export interface TimedOptions {
  /** Which time counts: the clock at which records come in (default), or that of the records. */
  readonly time?: 'processing' | 'event';
}

export type Clock = NonNullable<TimedOptions['time']>;

export function clockOf(operator: string, { time = 'processing' }: TimedOptions): Clock {
  if (time === 'processing' || time === 'event') return time;
  throw new JobDefinitionError(
    `${operator}: time is ${JSON.stringify(time)}: give 'processing' (the clock, which is the default) or 'event' (the times of the records).`,
  );
}
