import { type Logger, SettingsError } from '../../../lib/index.ts';
import { type GroupOptions, groupMemberSettings } from '../client/member/options.ts';
import { type KafkaConnectionOptions, kafkaConnectionSettings } from '../options.ts';

/** How the processes of a job share its tasks through a Kafka consumer group. */
export interface KafkaTaskSharingOptions extends KafkaConnectionOptions, GroupOptions {
  /** Default: says nothing. */
  readonly logger?: Logger;
}

/** The options, checked. */
export interface KafkaTaskSharingSettings {
  readonly connection: KafkaConnectionOptions;
  readonly member: GroupOptions;
  readonly topics: readonly string[];
  readonly logger: Logger | undefined;
}

/** Throws one `SettingsError` that names every problem. */
export function kafkaTaskSharingSettings(given: KafkaTaskSharingOptions): KafkaTaskSharingSettings {
  const { brokers, clientId, ssl, sasl, connectTimeout, requestTimeout, logger, ...member } = given;
  const all = { brokers, clientId, ssl, sasl, connectTimeout, requestTimeout };
  const connection = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const problems = [
    ...problemsOf(() => kafkaConnectionSettings(connection)),
    ...problemsOf(() => groupMemberSettings({ ...member, tasks: 1 })),
  ];
  if (problems.length > 0) throw new SettingsError('The options of the Kafka task sharing are not right', problems);
  return { connection, member, topics: groupMemberSettings({ ...member, tasks: 1 }).topics, logger };
}

function problemsOf(check: () => void): readonly string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}
