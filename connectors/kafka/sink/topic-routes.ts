import { setTimeout as wait } from 'node:timers/promises';
import { JobDefinitionError } from '../../../lib/index.ts';
import type { KafkaClient, TopicMetadata } from '../client/port.ts';
import { KafkaAnswerError, KafkaSecurityError, MissingTopicError } from '../errors.ts';
import { StickyPartition } from '../partition/sticky-partition.ts';
import type { NewTopicOptions } from './options.ts';

/** What must be known of a topic before a record can be written to it. */
export interface TopicRoute {
  readonly topic: string;
  readonly partitions: number;
  /** `max.message.bytes`; `undefined` when it may not be read. */
  readonly maxBytes: number | undefined;
  /** Where records without a key go. */
  readonly sticky: StickyPartition;
}

/** Which guarantee each topic of a cluster is written with, by the sinks of one task. */
export type TopicGuarantees = Map<string, { readonly guarantee: string; readonly sink: string }>;

const shownWithinMs = 30_000;

/** Finds out about topics when they are first written to, and makes those that are missing. */
export class TopicRoutes {
  readonly #client: KafkaClient;
  readonly #sink: { readonly name: string; readonly guarantee: string; readonly batchBytes: number };
  readonly #missing: 'fail' | NewTopicOptions;
  readonly #guarantees: TopicGuarantees;
  readonly #routes = new Map<string, TopicRoute>();

  constructor(
    client: KafkaClient,
    sink: { readonly name: string; readonly guarantee: string; readonly batchBytes: number },
    missing: 'fail' | NewTopicOptions,
    guarantees: TopicGuarantees,
  ) {
    this.#client = client;
    this.#sink = sink;
    this.#missing = missing;
    this.#guarantees = guarantees;
  }

  /** `undefined` until it is prepared. */
  route(topic: string): TopicRoute | undefined {
    return this.#routes.get(topic);
  }

  async prepare(topic: string): Promise<TopicRoute> {
    const known = this.#routes.get(topic);
    if (known) return known;
    this.#claim(topic);
    const { partitions } = (await this.#look(topic)) ?? (await this.#create(topic));
    const limit = Number(await this.#client.setting({ topic }, 'max.message.bytes'));
    const route: TopicRoute = {
      topic,
      partitions: partitions.length,
      maxBytes: limit > 0 ? limit : undefined,
      sticky: new StickyPartition(this.#sink.batchBytes),
    };
    this.#routes.set(topic, route);
    return route;
  }

  /** A reader of one topic could not tell what was written with which guarantee. */
  #claim(topic: string): void {
    const { name, guarantee } = this.#sink;
    const other = this.#guarantees.get(topic);
    if (other && other.guarantee !== guarantee) {
      throw new JobDefinitionError(
        `The sinks "${other.sink}" (${other.guarantee}) and "${name}" (${guarantee}) both write to the topic "${topic}": give them ` +
          'the same guarantee, or topics of their own.',
        { context: { sink: name, topic } },
      );
    }
    this.#guarantees.set(topic, { guarantee, sink: name });
  }

  async #look(topic: string): Promise<TopicMetadata | undefined> {
    const [found] = await this.#client.topics([topic]);
    return found && found.partitions.length > 0 ? found : undefined;
  }

  async #create(topic: string): Promise<TopicMetadata> {
    const client = this.#client;
    const missing = this.#missing;
    const where = `the topic "${topic}", which the sink "${this.#sink.name}" writes to, is not there`;
    if (missing === 'fail') {
      throw new MissingTopicError(
        `On ${client.location} ${where}. Create it, or let the sink do so with missingTopics: 'create'.`,
        { context: { topic, sink: this.#sink.name } },
      );
    }
    const { replicationFactor, settings } = missing;
    const [answer] = await client.createTopics([
      {
        topic,
        partitions: missing.partitions ?? Number((await client.setting({ broker: 'any' }, 'num.partitions')) ?? 1),
        ...(replicationFactor === undefined ? {} : { replicationFactor }),
        ...(settings === undefined ? {} : { settings }),
      },
    ]);
    const error = answer?.error ?? 'NONE';
    if (error !== 'NONE' && error !== 'TOPIC_ALREADY_EXISTS') {
      const what = `On ${client.location} ${where}, and it could not be created: ${error}. Create it by hand.`;
      throw /AUTHORIZATION_FAILED/.test(error) ? new KafkaSecurityError(what) : new KafkaAnswerError(error, what);
    }
    const until = performance.now() + shownWithinMs;
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 500)) {
      const found = await this.#look(topic);
      if (found && (await this.#isTaken(found))) return found;
      if (performance.now() > until) {
        throw new KafkaAnswerError(
          'LEADER_NOT_AVAILABLE',
          `The new topic "${topic}" on ${client.location} is not ready after ${shownWithinMs} ms: its partitions have no leaders.`,
        );
      }
      await wait(pauseMs);
    }
  }

  /** Whether the leaders of a new topic know that they are: one that does not yet drops what is written without acknowledgement. */
  async #isTaken({ partitions }: TopicMetadata): Promise<boolean> {
    for (const { topic, partition } of partitions) {
      const node = await this.#client.leader({ topic, partition });
      const [answer] = node
        ? await node.listOffsets([{ topic, partition, at: 'latest' }], 'read_uncommitted')
        : [undefined];
      if (answer?.error === 'NONE') continue;
      this.#client.forgetLeader({ topic, partition });
      return false;
    }
    return true;
  }
}
