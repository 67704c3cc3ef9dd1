import { setTimeout as wait } from 'node:timers/promises';
import type { KafkaClient } from '../client/port.ts';
import { KafkaAnswerError, KafkaConnectionError, KafkaSecurityError } from '../errors.ts';
import { commitTopic } from './commit-record.ts';

const waitMs = 30_000;

/** Makes the topic of commit records unless it is there. Throws a `KafkaSecurityError` when it may not. */
export async function ensureCommitTopic(client: KafkaClient): Promise<void> {
  if (await isThere(client)) return;
  const [answer] = await client.createTopics([
    { topic: commitTopic, partitions: 1, settings: { 'cleanup.policy': 'compact' } },
  ]);
  const error = answer?.error ?? 'NONE';
  const byHand =
    `Make it once: kafka-topics.sh --create --topic ${commitTopic} --partitions 1 ` +
    '(nothing is ever written to it).';
  if (/AUTHORIZATION_FAILED|POLICY_VIOLATION/.test(error)) {
    throw new KafkaSecurityError(
      `The topic ${commitTopic} is missing on ${client.location}, and this client may not create it (${error}). ${byHand}`,
    );
  }
  if (error !== 'NONE' && error !== 'TOPIC_ALREADY_EXISTS') {
    throw new KafkaAnswerError(
      error,
      `The topic ${commitTopic} could not be made on ${client.location}: ${error}. ${byHand}`,
    );
  }
  const until = performance.now() + waitMs;
  for (let pauseMs = 10; !(await isThere(client)); pauseMs = Math.min(pauseMs * 2, 500)) {
    if (performance.now() > until) {
      throw new KafkaConnectionError(
        `The topic ${commitTopic} was made on ${client.location}, but does not show after ${waitMs} ms.`,
      );
    }
    await wait(pauseMs);
  }
}

async function isThere(client: KafkaClient): Promise<boolean> {
  const [topic] = await client.topics([commitTopic]);
  return topic !== undefined && topic.partitions.length > 0;
}
