import { settingsFields } from 'tidemark';
import { z } from 'zod';
import { positiveNumber, wholeNumber } from '../parameters.ts';
import { queryNames } from './queries/index.ts';

/** What fixes the events. */
export const generatorFields = {
  /** How many events, and which ones. */
  events: wholeNumber(0).default(100_000),
  seed: wholeNumber().default(1),
  /** Events in a second of event time. */
  eventsPerSecond: positiveNumber().default(1_000),
  /** The most by which an event may be older than one before it: by so much the watermark is behind. */
  disorder: settingsFields.duration({ zero: true }).prefault('0s'),
};

export const parameters = z.strictObject({
  query: z.enum(queryNames, { error: ({ input }) => `${whatIsWrong(input)}: choose one of ${queryNames.join(', ')}` }),
  /** Where the events come from: made up, from a file, or from a topic of the cluster in `KAFKA_BROKERS`. */
  source: z.enum(['generated', 'file', 'kafka']).default('generated'),
  ...generatorFields,
  /** File: the events, as the query `events` writes them. */
  input: z.string().default('out/nexmark/events.jsonl'),
  /** Kafka: the topic of the events. */
  topic: z.string().default('nexmark'),
  /** Kafka: `latest` ends the job at the offsets that are latest at this start; it goes on for ever when left out. */
  until: z.literal('latest').optional(),
  /** Events a second of real time; as fast as possible when left out. */
  rate: positiveNumber().optional(),
  /** Where the answers go: to `<query>.jsonl`, or to a topic of the same cluster. */
  sink: z.enum(['file', 'kafka']).default('file'),
  /** Folder for `<query>.jsonl`. */
  out: z.string().default('out/nexmark'),
  /** Kafka: the topic of the answers; `nexmark-<query>` when left out. */
  answers: z.string().optional(),
});

export type Parameters = z.infer<typeof parameters>;

function whatIsWrong(query: unknown): string {
  return query === undefined ? 'no query is named' : `there is no query "${query}"`;
}
