import { Kafka, logLevel } from 'kafkajs';
import './without-timer-warning.ts';

/** Whether the brokers name themselves in answer to a metadata request. */
export async function kafkaAnswers(brokers: readonly string[]): Promise<boolean> {
  const admin = impatientClient(brokers).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {}); // what was never connected has nothing to close
  }
}

/**
 * Whether groups and transactions have coordinators. A new broker makes their topics when it is asked for the first
 * time, and until they are loaded answers with errors that are not the business of whoever comes first.
 */
export async function kafkaCoordinates(brokers: readonly string[]): Promise<boolean> {
  const client = impatientClient(brokers);
  const admin = client.admin();
  const producer = client.producer({ transactionalId: 'tidemark-services', maxInFlightRequests: 1, idempotent: true });
  try {
    await admin.connect();
    await admin.fetchOffsets({ groupId: 'tidemark-services', topics: [] });
    await producer.connect();
    await (await producer.transaction()).abort();
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
    await producer.disconnect().catch(() => {});
  }
}

/** Tries once, says nothing: whoever asks, asks again. */
function impatientClient(brokers: readonly string[]): Kafka {
  return new Kafka({
    clientId: 'tidemark-services',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 3000,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 100 }, // an idempotent producer insists on one
  });
}
