import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Logger, MaybePromise } from '../../../../lib/index.ts';
import { KafkaAnswerError } from '../../errors.ts';
import { type KafkaConnectionOptions, type KafkaConnectionSettings, kafkaConnectionSettings } from '../../options.ts';
import type { CoordinatorKind, KafkaClient, KafkaNode, NewTopic, TopicMetadata, TopicPartition } from '../port.ts';
import { createTopicsApi, describeConfigsApi, findCoordinatorApi } from '../wire/api/cluster.ts';
import { apiKey } from '../wire/api/keys.ts';
import { isRetriable } from '../wire/error-codes.ts';
import { answerError, Cluster } from './cluster.ts';
import { type KafkajsOptions, kafkajsConnections } from './internals.ts';
import { kafkajsSasl } from './sasl.ts';

/** A client of the cluster that the options name; it connects when it is first asked. Throws a `SettingsError`. */
export function kafkaClient(options: KafkaConnectionOptions, logger: Logger): KafkaClient {
  return new KafkajsClient(kafkaConnectionSettings(options), logger);
}

class KafkajsClient implements KafkaClient {
  readonly location: string;
  readonly #requestTimeoutMs: number;
  readonly #cluster: Cluster;
  /** Questions on the way, so that many who ask the same at once are one. */
  readonly #asking = new Map<string, Promise<unknown>>();

  constructor(settings: KafkaConnectionSettings, logger: Logger) {
    const { clientId, connectTimeoutMs, requestTimeoutMs, sasl } = settings;
    this.location = settings.location;
    this.#requestTimeoutMs = requestTimeoutMs;
    const open = kafkajsConnections({
      clientId,
      // A broker that swallows everything must not take the time of the others.
      connectTimeoutMs: Math.ceil(connectTimeoutMs / Math.max(settings.brokers.length, 2)),
      requestTimeoutMs,
      sasl: kafkajsSasl(sasl),
      // It is thrown too, and whoever catches it says what came of it.
      log: (message, fields) => logger.debug({ kafka: this.location, ...fields }, `kafkajs: ${message}`),
      openSocket: socketOpener(settings),
    });
    const secrets = sasl !== undefined && 'password' in sasl ? [sasl.password] : [];
    this.#cluster = new Cluster(settings.brokers, this.location, {
      open,
      clientId,
      connectTimeoutMs,
      requestTimeoutMs,
      secrets,
      hasSasl: sasl !== undefined,
    });
  }

  connect(): Promise<void> {
    return this.#once('connect', () => this.#cluster.connect());
  }

  async clusterId(): Promise<string> {
    if (this.#cluster.map.clusterId === undefined) await this.#cluster.metadata([]);
    const { clusterId } = this.#cluster.map;
    if (clusterId === undefined)
      throw new KafkaAnswerError('NONE', `${this.location} does not say which cluster it is.`);
    return clusterId;
  }

  async topics(names: readonly string[] | 'all'): Promise<readonly TopicMetadata[]> {
    if (names.length === 0) return [];
    const { topics } = await this.#cluster.metadata(names === 'all' ? null : names);
    const found: TopicMetadata[] = [];
    for (const { error, ...metadata } of topics) {
      const { topic } = metadata;
      // It is just being made: its partitions have no leaders yet.
      if (error === 'NONE' || error === 'LEADER_NOT_AVAILABLE') found.push(metadata);
      else if (error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw answerError(error, `Looking at the topic "${topic}"`);
    }
    return found;
  }

  leader(of: TopicPartition): MaybePromise<KafkaNode | undefined> {
    const known = this.#leader(of);
    if (known) return known;
    return this.#once(`topic ${of.topic}`, () => this.#cluster.metadata([of.topic])).then(() => this.#leader(of));
  }

  forgetLeader(of: TopicPartition): void {
    this.#cluster.map.forgetLeader(of);
  }

  coordinator(kind: CoordinatorKind, key: string): MaybePromise<KafkaNode> {
    const id = this.#cluster.map.coordinator(kind, key);
    const known = id === undefined ? undefined : this.#cluster.node(id);
    return known ?? this.#once(`${kind} ${key}`, () => this.#findCoordinator(kind, key));
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#cluster.map.forgetCoordinator(kind, key);
  }

  async createTopics(topics: readonly NewTopic[]): ReturnType<KafkaClient['createTopics']> {
    const { controllerId } = await this.#cluster.metadata([]);
    const controller = this.#cluster.node(controllerId);
    if (controller === undefined) throw answerError('NOT_CONTROLLER', 'Creating topics');
    const timeoutMs = this.#requestTimeoutMs;
    const answers = await controller.link.ask(createTopicsApi, { topics, timeoutMs }, { moreMs: timeoutMs });
    return answers.map(({ topic, error }) => ({ topic, error }));
  }

  async setting(
    of: { readonly topic: string } | { readonly broker: 'any' },
    name: string,
  ): Promise<string | undefined> {
    const settings = [name];
    const answers =
      'topic' in of
        ? await this.#cluster.askAny(describeConfigsApi, { of: 'topic', resource: of.topic, settings })
        : await this.#brokerSetting(settings);
    const [answer] = answers;
    if (answer === undefined || /AUTHORIZATION_FAILED/.test(answer.error)) return undefined;
    if (answer.error !== 'NONE') throw answerError(answer.error, `Reading the setting ${name}`);
    return answer.settings[name] ?? undefined;
  }

  async supports(api: string): Promise<number | undefined> {
    if (this.#cluster.connected().length === 0) await this.#cluster.metadata([]);
    const key = apiKey(api);
    const highest = this.#cluster
      .connected()
      .map(({ versions }) => (key === undefined ? -1 : (versions?.[key]?.maxVersion ?? -1)));
    const common = Math.min(...highest);
    return highest.length === 0 || common < 0 ? undefined : common;
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }

  #leader(of: TopicPartition): KafkaNode | undefined {
    const id = this.#cluster.map.leader(of);
    return id === undefined ? undefined : this.#cluster.node(id);
  }

  /** The first group and the first transaction of a cluster wait for their topic to be made. */
  #findCoordinator(kind: CoordinatorKind, key: string): Promise<KafkaNode> {
    const ask = async () => {
      const { error, message, broker } = await this.#cluster.askAnySoon(findCoordinatorApi, { kind, key });
      if (error !== 'NONE') throw answerError(error, `Finding the coordinator of the ${kind} "${key}"`, message);
      this.#cluster.map.learnCoordinator(kind, key, broker);
      return this.#cluster.node(broker.id) as KafkaNode;
    };
    const mayPass = (error: unknown) => error instanceof KafkaAnswerError && isRetriable(error.errorName);
    return this.#cluster.repeat(ask, mayPass, this.#requestTimeoutMs);
  }

  /** Only the broker itself tells its settings. */
  async #brokerSetting(settings: readonly string[]) {
    await this.#cluster.metadata([]);
    const [id] = this.#cluster.map.brokers.keys();
    const node = id === undefined ? undefined : this.#cluster.node(id);
    if (node === undefined) return [];
    return node.link.ask(describeConfigsApi, { of: 'broker', resource: String(node.id), settings });
  }

  #once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#asking.get(question) as Promise<T> | undefined;
    if (asked) return asked;
    const asking = ask().finally(() => this.#asking.delete(question));
    this.#asking.set(question, asking);
    return asking;
  }
}

function socketOpener({ ssl }: KafkaConnectionSettings): KafkajsOptions['openSocket'] {
  return ({ host, port, onConnect }) => {
    const name = isIP(host) ? {} : { servername: host };
    const socket = ssl ? connectTls({ ...name, ...ssl, host, port }, onConnect) : connectTcp({ host, port }, onConnect);
    return socket.setNoDelay(true).setKeepAlive(true, 60_000);
  };
}
