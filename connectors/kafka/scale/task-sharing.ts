import { silentLogger, type TaskShare, type TaskShareRequest, type TaskSharing } from '../../../lib/index.ts';
import { kafkaClient } from '../client/kafkajs/kafka-client.ts';
import { joinGroup } from '../client/member/group-member.ts';
import { type KafkaTaskSharingOptions, type KafkaTaskSharingSettings, kafkaTaskSharingSettings } from './options.ts';
import { taskShape } from './task-shape.ts';

/**
 * Spreads the tasks of a job over its processes with a Kafka consumer group: each process is a member of `group`, and each task runs
 * in one of them. Tasks stay where they are while processes come and go, except for the few that balance needs elsewhere; these move
 * after a last checkpoint. Throws a `SettingsError`.
 */
export function kafkaTaskSharing(options: KafkaTaskSharingOptions): TaskSharing {
  return new KafkaTaskSharing(kafkaTaskSharingSettings(options));
}

class KafkaTaskSharing implements TaskSharing {
  readonly #settings: KafkaTaskSharingSettings;

  constructor(settings: KafkaTaskSharingSettings) {
    this.#settings = settings;
  }

  async shape(maxTasks: number) {
    const { topics } = this.#settings;
    const client = this.#client();
    try {
      const found = await client.topics(topics);
      return taskShape(topics, new Map(found.map(({ topic, partitions }) => [topic, partitions.length])), maxTasks);
    } finally {
      await client.close();
    }
  }

  join({ tasks, spread, listener }: TaskShareRequest): TaskShare {
    const { member: options, logger = silentLogger } = this.#settings;
    const client = this.#client();
    const member = joinGroup(
      client,
      { ...options, tasks, ...(spread === undefined ? {} : { spread }) },
      listener,
      logger,
    );
    let closed: Promise<void> | undefined;
    return {
      giveBack: tasks => member.giveUp(tasks),
      close({ isForGood = false } = {}) {
        closed ??= member.close(isForGood).then(() => client.close());
        return closed;
      },
    };
  }

  #client() {
    const { connection, logger = silentLogger } = this.#settings;
    return kafkaClient(connection, logger);
  }
}
