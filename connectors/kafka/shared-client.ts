import { createHash } from 'node:crypto';
import type { Logger, MaybePromise } from '../../lib/index.ts';
import { kafkaClient } from './client/kafkajs/kafka-client.ts';
import type { KafkaClient } from './client/port.ts';
import { type KafkaConnectionOptions, kafkaConnectionSettings } from './options.ts';

/** What contexts of sources, sinks and commit points have in common. */
export interface SharingContext {
  readonly logger: Logger;
  shared<T>(key: string, make: () => T, close: (service: T) => MaybePromise<void>, by?: 'task' | 'process'): T;
}

/** The client that all Kafka sources and sinks of the tasks in this process share when they have the same options; it closes with the last. */
export function sharedClient(context: SharingContext, options: KafkaConnectionOptions): KafkaClient {
  const { logger } = context;
  return context.shared(
    `kafka-client:${connectionKey(options)}`,
    () => kafkaClient(options, logger),
    client => client.close(),
    'process',
  );
}

/** The same for options that say the same; a digest, because they hold passwords. */
export function connectionKey(options: KafkaConnectionOptions): string {
  const { brokers, ...others } = kafkaConnectionSettings(options);
  const text = JSON.stringify([clusterKey(options), others], (_, value: unknown) =>
    typeof value === 'function' ? `function ${numberOf(value)}` : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The bootstrap addresses in a fixed order: which cluster is meant, as far as can be told before it is asked. */
export function clusterKey(options: KafkaConnectionOptions): string {
  const { brokers } = kafkaConnectionSettings(options);
  return brokers
    .map(({ host, port }) => `${host}:${port}`)
    .sort()
    .join(',');
}

/** Functions (of OAUTHBEARER, of TLS) are the same only when they are one and the same. */
const numbers = new WeakMap<object, number>();
let functions = 0;

function numberOf(value: object): number {
  const known = numbers.get(value) ?? ++functions;
  numbers.set(value, known);
  return known;
}
