import { from, job, paced } from 'tidemark';
import { assignTimestamps, to, watermarks } from 'tidemark/operators';
import { sinkOf, sourceOf } from './ends.ts';
import type { NexmarkEvent } from './events.ts';
import { type Parameters, parameters } from './parameters.ts';
import { queries } from './queries/index.ts';

/** One query of the Nexmark benchmark, over generated events or those of a topic, into a file or another topic. */
export default job(
  'nexmark',
  (given: Parameters) => {
    const source = sourceOf(given);
    const events = from(given.rate === undefined ? source : paced(source, given.rate)).pipe(
      assignTimestamps({
        timestamp: ({ dateTime }: NexmarkEvent) => dateTime,
        watermarks: watermarks.boundedOutOfOrderness(Math.round(given.disorder)),
      }),
    );
    return queries[given.query](events).pipe(to<object>(sinkOf(given)));
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
