import { type DataStream, from, type KeyOrNone, paced, type Source } from 'tidemark';
import { assignTimestamps, to, watermarks } from 'tidemark/operators';
import { sinkOf, sourceOf } from './ends.ts';
import type { NexmarkEvent } from './events.ts';
import type { Parameters } from './parameters.ts';
import { queries } from './queries/index.ts';

/** From the events to where the answers of one query go. */
export function pipeline(
  given: Parameters,
  source: Source<NexmarkEvent> = sourceOf(given),
): DataStream<object, KeyOrNone> {
  const events = from(given.rate === undefined ? source : paced(source, given.rate)).pipe(
    assignTimestamps({
      timestamp: ({ dateTime }: NexmarkEvent) => dateTime,
      watermarks: watermarks.boundedOutOfOrderness(Math.round(given.disorder)),
    }),
  );
  return queries[given.query](events).pipe(to<object>(sinkOf(given)));
}
