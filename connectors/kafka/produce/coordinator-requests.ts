import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../../lib/index.ts';
import type { CoordinatorKind, KafkaClient, KafkaNode } from '../client/port.ts';
import { KafkaAnswerError, KafkaConnectionError } from '../errors.ts';
import { backoffMs } from './backoff.ts';
import { DeliveryTimeoutError } from './errors.ts';

/** What follows from an answer; other reasons to end are thrown. */
export type Next = 'done' | 'again' | 'again elsewhere';

export interface CoordinatorRequest<T> {
  readonly kind: CoordinatorKind;
  readonly key: string;
  /** What is asked, for messages: `commit the transaction`. */
  readonly action: string;
  ask(node: KafkaNode): Promise<T>;
  judge(answer: T): Next;
  /** An attempt had no answer: it may have taken effect, or may do so later. */
  lost?(): void;
  readonly withinMs: number;
}

/**
 * Asks the coordinator of a group or a transactional id, wherever it has gone, and again until the answer is one to end
 * with: a request must mean the same when it arrives twice. Throws a `DeliveryTimeoutError` when the time is up, and the
 * signal's reason when it is aborted.
 */
export async function askCoordinator<T>(
  client: KafkaClient,
  { kind, key, action, ask, judge, lost, withinMs }: CoordinatorRequest<T>,
  signal: AbortSignal,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    let reason = '';
    let isElsewhere = true;
    let isSent = false;
    try {
      const node = await client.coordinator(kind, key);
      signal.throwIfAborted();
      isSent = true;
      const answer = await ask(node);
      isSent = false;
      const next = judge(answer);
      if (next === 'done') return answer;
      isElsewhere = next === 'again elsewhere';
      reason = errorsIn(answer);
    } catch (error) {
      if (isSent) lost?.();
      if (!mayPass(error)) throw error;
      reason = messageOf(error);
    }
    if (isElsewhere) client.forgetCoordinator(kind, key);
    const pauseMs = backoffMs(failures);
    if (performance.now() + pauseMs >= until) {
      throw new DeliveryTimeoutError(
        `Kafka at ${client.location} could not ${action} within ${withinMs} ms: ${reason}. Check its brokers.`,
      );
    }
    await wait(pauseMs, undefined, { signal }).catch(() => {});
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof KafkaConnectionError || (error instanceof KafkaAnswerError && error.retriable);

/** The names of the errors in an answer. */
function errorsIn(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  const parts = Array.isArray(answer) ? answer : [answer];
  const names = parts.map(part => (part as { readonly error?: string }).error).filter(name => name !== 'NONE');
  return [...new Set(names)].join(', ') || 'the answer left out what was asked';
}
