import { UserCodeError } from '../../lib/index.ts';

/** The event time of the record that is handled. */
export function recordTime(operator: string, { timestamp }: { readonly timestamp: number }): number {
  if (Number.isFinite(timestamp)) return timestamp;
  throw new UserCodeError(
    `${operator} needs the time of each record, and one has ${Number.isNaN(timestamp) ? 'none' : 'the end of time'}: give the ` +
      'sources of both streams the option "timestamp", and join before reduce().',
  );
}
