import path from 'node:path';
import { from, job, paced, settingsFields } from 'tidemark';
import { fileSink } from 'tidemark/connectors/file';
import { assignTimestamps, to, watermarks } from 'tidemark/operators';
import { z } from 'zod';
import { positiveNumber, wholeNumber } from '../parameters.ts';
import type { NexmarkEvent } from './events.ts';
import { queries, queryNames } from './queries/index.ts';
import { nexmarkSource } from './source.ts';

const parameters = z.strictObject({
  query: z.enum(queryNames, { error: ({ input }) => `${whatIsWrong(input)}: choose one of ${queryNames.join(', ')}` }),
  /** How many events, and which ones. */
  events: wholeNumber(0).default(100_000),
  seed: wholeNumber().default(1),
  /** Events in a second of event time. */
  eventsPerSecond: positiveNumber().default(1_000),
  /** The most by which an event may be older than one before it. */
  disorder: settingsFields.duration({ zero: true }).prefault('0s'),
  /** Events a second of real time; as fast as possible when left out. */
  rate: positiveNumber().optional(),
  /** Folder for `<query>.jsonl`. */
  out: z.string().default('out/nexmark'),
});

function whatIsWrong(query: unknown): string {
  return query === undefined ? 'no query is named' : `there is no query "${query}"`;
}

/** One query of the Nexmark benchmark over generated events, into a file. */
export default job(
  'nexmark',
  ({ query, events, seed, eventsPerSecond, disorder, rate, out }: z.infer<typeof parameters>) => {
    const source = nexmarkSource({
      // A checkpoint of one query is not gone on from by another.
      name: `nexmark-${query}`,
      events,
      seed,
      eventsPerSecond,
      disorderMs: Math.round(disorder),
    });
    const events$ = from(rate === undefined ? source : paced(source, rate)).pipe(
      assignTimestamps({
        timestamp: ({ dateTime }: NexmarkEvent) => dateTime,
        watermarks: watermarks.boundedOutOfOrderness(Math.round(disorder)),
      }),
    );
    return queries[query](events$).pipe(to<object>(fileSink({ path: path.join(out, `${query}.jsonl`) })));
  },
  { schema: parameters, checkpoint: { interval: '500ms' } },
);
