import type { TidemarkError } from '../../../../lib/index.ts';
import { KafkaAnswerError, KafkaConnectionError, KafkaSecurityError } from '../../errors.ts';
import type { ErrorName } from '../port.ts';

const advice: Readonly<Record<ErrorName, string>> = {
  FENCED_INSTANCE_ID: 'Another process has joined with the same instanceId: give each process its own.',
  INCONSISTENT_GROUP_PROTOCOL:
    'Its members are of another kind, or run another number of tasks, or what the job had before it was started from a savepoint: give the job a group of its own, and stop the processes that run it as it was.',
  INVALID_SESSION_TIMEOUT:
    'sessionTimeout is not between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
  INVALID_GROUP_ID: 'Give the group another name.',
  GROUP_MAX_SIZE_REACHED: 'Run fewer members, or raise group.max.size of the brokers.',
};

/** The error for an answer that no repeat mends. */
export function memberRefusal(group: string, error: ErrorName): TidemarkError {
  const what = `Kafka refused a member of the group "${group}": ${error}.`;
  const context = { context: { group } };
  if (error.endsWith('_AUTHORIZATION_FAILED')) {
    return new KafkaSecurityError(`${what} The user needs READ on the group and DESCRIBE on its topics.`, context);
  }
  return new KafkaAnswerError(error, advice[error] ? `${what} ${advice[error]}` : what, context);
}

/** The error for a member that was not taken in for so long; `last` is why. */
export function joinTimeout(group: string, timeoutMs: number, last: string, cause?: TidemarkError): TidemarkError {
  return new KafkaConnectionError(
    `The group "${group}" could not be joined within ${timeoutMs} ms (joinTimeout): ${last.replace(/\.$/, '')}. Check that its brokers run and can be reached.`,
    { context: { group }, ...(cause ? { cause } : {}) },
  );
}
