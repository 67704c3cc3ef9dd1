import path from 'node:path';
import type { Sink, Source } from 'tidemark';
import { fileSink, jsonLines } from 'tidemark/connectors/file';
import { json, kafkaSink, kafkaSource } from 'tidemark/connectors/kafka';
import type { NexmarkEvent } from './events.ts';
import type { Parameters } from './parameters.ts';
import { nexmarkSource } from './source.ts';

/** The events. A checkpoint of one query is not gone on from by another: the source is named after it. */
export function sourceOf(parameters: Parameters): Source<NexmarkEvent> {
  const { query, source, input, topic, until, rate, events, seed, eventsPerSecond, disorder } = parameters;
  const name = `nexmark-${query}`;
  if (source === 'generated') {
    return nexmarkSource({ name, events, seed, eventsPerSecond, disorderMs: Math.round(disorder) });
  }
  if (source === 'file') return jsonLines<NexmarkEvent>({ path: input, name });
  return kafkaSource<NexmarkEvent>({
    name,
    topic,
    value: json<NexmarkEvent>(),
    start: 'earliest',
    ...(until === undefined ? {} : { stop: until }),
    // A little of each partition in turn: the watermark is that of the one that is furthest behind.
    ...(rate === undefined ? {} : { maxPartitionBytes: 4_096, maxRequestBytes: 16_384, maxBufferedBytes: 32_768 }),
  });
}

/** Where the answers go. In Kafka with the time of writing: with that of 2015 they would be gone by the topic's retention. */
export function sinkOf({ query, sink, out, answers = `nexmark-${query}` }: Parameters): Sink<object> {
  if (sink === 'file') return fileSink<object>({ path: path.join(out, `${query}.jsonl`) });
  return kafkaSink<object>({
    topic: answers,
    value: json<object>(),
    timestamp: () => Date.now(),
    guarantee: 'exactly-once',
    missingTopics: { partitions: 4 },
  });
}
