import { asyncScheduler } from 'rxjs';
import { silentLogger } from '../../../lib/index.ts';
import { kafkaClient } from '../client/kafkajs/kafka-client.ts';
import type { KafkaClient } from '../client/port.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import { Patience } from '../source/patience.ts';

/** How long the cluster may be out of reach when it is looked at before the job runs. */
export const patienceMs = 60_000;

/** Asks the cluster through a client of its own. */
export async function withClient<T>(
  connection: KafkaConnectionOptions,
  ask: (client: KafkaClient, patience: Patience) => Promise<T>,
): Promise<T> {
  const client = kafkaClient(connection, silentLogger);
  const patience = new Patience(asyncScheduler, silentLogger, patienceMs, client.location);
  try {
    await client.connect();
    return await ask(client, patience);
  } finally {
    patience.close();
    await client.close();
  }
}
