export interface BrokerAddress {
  readonly port: number;
  readonly controllerPort: number;
  /** The first one of a cluster is its controller, too. */
  readonly nodeId: number;
  /** Where it keeps its data. */
  readonly folder: string;
  /** The address that it listens on: the loopback interface, or any inside a container. */
  readonly listenOn: string;
}

/** The settings of one broker, quick to start and small. */
export function serverProperties(
  { port, controllerPort, nodeId, folder, listenOn }: BrokerAddress,
  more: Readonly<Record<string, string>> = {},
): string {
  const isFirst = nodeId === 1;
  const controller = isFirst ? `,CONTROLLER://127.0.0.1:${controllerPort}` : '';
  const settings: Record<string, string> = {
    'process.roles': isFirst ? 'broker,controller' : 'broker',
    'node.id': String(nodeId),
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${listenOn}:${port}${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': folder,
    // Specs write records of years ago, which the broker would remove behind their backs.
    'log.retention.ms': '-1',
    // One broker cannot hold more than one copy of anything.
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Few partitions: with the usual 50, the first group and the first transaction wait for 50 folders to be made.
    'offsets.topic.num.partitions': '2',
    'transaction.state.log.num.partitions': '2',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    // A spec that misspells a topic is told so.
    'auto.create.topics.enable': 'false',
    ...more,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
