import type { Logger, SourceContext } from '../../../lib/index.ts';
import { kafkaClient } from '../client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../client/port.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import { sharedClient } from '../shared-client.ts';
import { openDeadLetters } from '../sink/dead-letters.ts';
import type { OpenDeadLetters } from './dead-letters.ts';

/** Where a Kafka source gets what it works with. */
export interface SourceServices {
  /** The client of a task; it belongs to the task. */
  client(context: SourceContext<unknown>, options: KafkaConnectionOptions): KafkaClient;
  /** A client for a check before anything runs; whoever asks closes it. */
  ownClient(options: KafkaConnectionOptions): KafkaClient;
  readonly deadLetters?: OpenDeadLetters;
}

const nowhere = () => {};
const silent: Logger = { debug: nowhere, info: nowhere, warn: nowhere, error: nowhere, child: () => silent };

/** What sources of jobs use. */
export const sourceServices: SourceServices = {
  client: (context, options) => sharedClient(context, options),
  ownClient: options => kafkaClient(options, silent),
  deadLetters: openDeadLetters,
};
