import type { Source } from '../../../lib/index.ts';
import { type KafkaSourceOptions, kafkaSourceSettings } from './options.ts';
import { readingSource } from './reading-source.ts';
import { type SourceServices, sourceServices } from './source-services.ts';
import { sourceSpread } from './spread.ts';

/**
 * Reads topics of a Kafka cluster, partition by partition in order; replayable. With `stop` it is bounded, and completes.
 * Throws a `SettingsError` that names every wrong option.
 */
export function kafkaSource<T>(options: KafkaSourceOptions<T>): Source<T> {
  return kafkaSourceWith(sourceServices, options);
}

/** A source over any client; specs give it a scripted one. */
export function kafkaSourceWith<T>(services: SourceServices, options: KafkaSourceOptions<T>): Source<T> {
  const settings = kafkaSourceSettings(options);
  return { ...readingSource(services, settings), spread: sourceSpread(settings) };
}
