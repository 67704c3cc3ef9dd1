import type { CoordinatorKind, TopicPartition } from '../port.ts';
import type { BrokerAddress, ClusterMetadata } from '../wire/api/cluster.ts';

/** What is known of a cluster: its brokers, who leads which partition, who coordinates what. */
export class ClusterMap {
  clusterId: string | undefined;
  controllerId = -1;
  readonly brokers = new Map<number, BrokerAddress>();
  readonly #leaders = new Map<string, Map<number, number>>();
  readonly #coordinators = new Map<string, number>();

  learn({ brokers, clusterId, controllerId, topics }: ClusterMetadata): void {
    // An answer without brokers comes from one that is only just starting.
    if (brokers.length > 0) this.brokers.clear();
    for (const broker of brokers) this.brokers.set(broker.id, broker);
    this.clusterId = clusterId ?? this.clusterId;
    this.controllerId = controllerId;
    for (const { error, topic, partitions } of topics) {
      const led = partitions.filter(({ leader }) => leader >= 0).map(p => [p.partition, p.leader] as const);
      if (error === 'NONE') this.#leaders.set(topic, new Map(led));
      else this.#leaders.delete(topic);
    }
  }

  leader({ topic, partition }: TopicPartition): number | undefined {
    return this.#leaders.get(topic)?.get(partition);
  }

  forgetLeader({ topic, partition }: TopicPartition): void {
    this.#leaders.get(topic)?.delete(partition);
  }

  coordinator(kind: CoordinatorKind, key: string): number | undefined {
    return this.#coordinators.get(`${kind} ${key}`);
  }

  learnCoordinator(kind: CoordinatorKind, key: string, broker: BrokerAddress): void {
    this.brokers.set(broker.id, broker);
    this.#coordinators.set(`${kind} ${key}`, broker.id);
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`);
  }
}
