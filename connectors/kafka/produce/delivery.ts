import { isPromise, messageOf } from '../../../lib/index.ts';
import type { ErrorName, KafkaClient, KafkaNode, ProducedPartition, TopicPartition } from '../client/port.ts';
import { KafkaConnectionError } from '../errors.ts';
import type { Header } from '../record.ts';
import { Alarm } from './alarm.ts';
import { backoffMs } from './backoff.ts';
import { DeliveryTimeoutError } from './errors.ts';
import type { Batch, Lane } from './lane.ts';
import { type LaneSettings, Lanes } from './lanes.ts';
import { refusal } from './refusal.ts';
import type { Slot } from './send-window.ts';
import { lost, produceVerdict } from './verdict.ts';

export interface DeliverySettings extends LaneSettings {
  readonly acks: -1 | 0 | 1;
  /** The same number counts for the requests on one connection that lack their answer. */
  readonly maxInFlight: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
}

/** Who writes, so that the broker can tell a repeat. */
export interface DeliveryIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly transactionalId: string | undefined;
}

/** What a delivery asks of the producer that it belongs to. */
export interface DeliveryHost {
  /** Whether batches of this partition may be sent to this node now; if not, `wake` is called when they may. */
  admits(partition: TopicPartition, node: KafkaNode): boolean;
  /** Records, and the bytes that they took in batches, before these were packed. */
  acknowledged(records: number, bytes: number): void;
  /** Once; nothing is sent after it. */
  failed(error: unknown): void;
}

type PartitionLane = Lane<KafkaNode>;

interface Send {
  readonly lane: PartitionLane;
  readonly slot: Slot<Batch>;
}

interface OutgoingRequest {
  readonly node: KafkaNode;
  readonly sends: Send[];
  byteLength: number;
}

const mostRequestBytes = 8 * 1024 * 1024;

/** Carries records to the leaders of their partitions: in order, each once as far as the broker can tell repeats. */
export class Delivery {
  /** Left out: the broker cannot tell repeats. */
  identity: DeliveryIdentity | undefined;
  readonly lanes: Lanes<KafkaNode>;
  readonly #client: KafkaClient;
  readonly #settings: DeliverySettings;
  readonly #host: DeliveryHost;
  /** Requests without an answer, by node. */
  readonly #flights = new Map<number, number>();
  readonly #retry = new Alarm(() => this.wake());
  #isPumping = false;
  #ended: { readonly error: unknown } | undefined;

  constructor(client: KafkaClient, settings: DeliverySettings, host: DeliveryHost) {
    this.#client = client;
    this.#settings = settings;
    this.#host = host;
    // Without sequence numbers the broker cannot put right what a retry has swapped.
    const maxInFlight = settings.acks === -1 ? settings.maxInFlight : 1;
    this.lanes = new Lanes({ ...settings, maxInFlight }, () => this.wake());
  }

  /** Throws what it failed with before. */
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[],
  ): void {
    if (this.#ended !== undefined) throw this.#ended.error;
    this.lanes.write(topic, partition, timestamp, key, value, headers);
  }

  /** Resolves when everything that was written before is acknowledged; rejects when that will not happen. */
  flush(): Promise<void> {
    return this.#ended === undefined ? this.lanes.flush() : Promise.reject(this.#ended.error);
  }

  /** Sends what may be sent, soon. */
  wake(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  /** Goes on as another producer, from sequence number 0. Only while nothing is on its way. */
  restart(identity: DeliveryIdentity): void {
    this.lanes.restart();
    this.identity = identity;
  }

  /** Gives up what is not acknowledged; whoever waits is told `error`. */
  end(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.#retry.off();
    this.lanes.end(error);
  }

  /** It failed: everybody who waits is told, and the host. */
  fail(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.end(error);
    this.#host.failed(error);
  }

  /** The node that was told leads no more, or cannot be reached: after `ms` it is looked for again. */
  findLeadersAgain(ms: number): void {
    const notBefore = performance.now() + ms;
    for (const lane of this.lanes.busy) {
      lane.node = undefined;
      lane.notBefore = notBefore;
      this.#client.forgetLeader(lane);
    }
    this.#retry.at(notBefore);
  }

  #pump(): void {
    try {
      while (this.#ended === undefined) {
        const requests = this.#requests();
        if (requests.size === 0) return;
        for (const request of requests.values()) this.#send(request).catch(error => this.fail(error));
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** One request for each node that can take one, with a batch of each partition that is ready. */
  #requests(): Map<KafkaNode, OutgoingRequest> {
    const requests = new Map<KafkaNode, OutgoingRequest>();
    const now = performance.now();
    for (const lane of this.lanes.busy) {
      const node = this.#ready(lane, now);
      if (node === undefined) continue;
      let request = requests.get(node);
      if (request === undefined) {
        if ((this.#flights.get(node.id) ?? 0) >= this.#settings.maxInFlight) continue;
        request = { node, sends: [], byteLength: 0 };
      } else if (request.byteLength + this.#settings.batchBytes > mostRequestBytes) continue;
      const slot = lane.window.next();
      if (slot === undefined) continue;
      request.sends.push({ lane, slot });
      request.byteLength += slot.batch.byteLength;
      requests.set(node, request);
    }
    return requests;
  }

  /** The node to send this partition's next batch to, if there is one to be sent now. */
  #ready(lane: PartitionLane, now: number): KafkaNode | undefined {
    if (!lane.makeReady()) {
      if (lane.isIdle) this.lanes.rest(lane);
      return undefined;
    }
    if (now < lane.notBefore) {
      this.#retry.at(lane.notBefore);
      return undefined;
    }
    if (lane.node === undefined) this.#findLeader(lane);
    const { node } = lane;
    return node !== undefined && this.#host.admits(lane, node) ? node : undefined;
  }

  #findLeader(lane: PartitionLane): void {
    if (lane.isFindingLeader) return;
    const found = (node: KafkaNode | undefined) => {
      lane.isFindingLeader = false;
      lane.node = node;
      if (node === undefined) this.#later(lane, 'it has no leader, or is not there');
    };
    const notFound = (error: unknown) => {
      lane.isFindingLeader = false;
      if (error instanceof KafkaConnectionError) this.#later(lane, messageOf(error));
      else this.fail(error);
    };
    try {
      const node = this.#client.leader(lane);
      if (isPromise(node)) {
        lane.isFindingLeader = true;
        void node.then(found, notFound).then(() => this.wake());
      } else found(node);
    } catch (error) {
      notFound(error);
    }
  }

  async #send({ node, sends }: OutgoingRequest): Promise<void> {
    const { acks, requestTimeoutMs: timeoutMs } = this.#settings;
    const { identity } = this;
    this.#flights.set(node.id, (this.#flights.get(node.id) ?? 0) + 1);
    for (const { lane } of sends) this.lanes.toEnd(lane);
    let answers: readonly ProducedPartition[] = [];
    let failure: unknown;
    try {
      const batches = sends.map(({ lane: { topic, partition }, slot: { batch, baseSequence } }) => ({
        topic,
        partition,
        records: batch.writer.encoded(
          identity && { ...identity, baseSequence, isTransactional: identity.transactionalId !== undefined },
        ),
      }));
      answers = await node.produce({ acks, timeoutMs, transactionalId: identity?.transactionalId, batches });
    } catch (error) {
      failure = error;
    }
    this.#flights.set(node.id, (this.#flights.get(node.id) ?? 1) - 1);
    if (this.#ended !== undefined) return;
    if (failure !== undefined && !(failure instanceof KafkaConnectionError)) return this.fail(failure);
    const answered = byPartition(answers);
    for (const { lane, slot } of sends) {
      const answer = answered.get(lane.topic)?.get(lane.partition);
      // A partition that the answer leaves out was perhaps written.
      const error = acks === 0 && failure === undefined ? 'NONE' : (answer?.error ?? lost);
      this.#settle(lane, slot, error, answer?.message ?? (failure === undefined ? undefined : messageOf(failure)));
      if (this.#ended !== undefined) return;
    }
    this.#pump();
  }

  #settle(lane: PartitionLane, slot: Slot<Batch>, error: ErrorName | typeof lost, message: string | undefined): void {
    const verdict = produceVerdict(error, lane.window.isOldest(slot));
    if (verdict === 'done') {
      lane.window.acknowledged(slot);
      lane.failures = 0;
      // An earlier request may still hold a view of the batch; and without acknowledgements nobody knows when it is out.
      this.lanes.acknowledged(slot, slot.sends === 1 && this.#settings.acks !== 0);
      this.#host.acknowledged(slot.batch.recordCount, slot.batch.byteLength);
    } else if (verdict === 'again' || verdict === 'again elsewhere') {
      if (verdict === 'again elsewhere') {
        lane.node = undefined;
        this.#client.forgetLeader(lane);
      }
      lane.window.again(slot);
      if (lane.window.isReady) this.#later(lane, message ? `${error} (${message})` : error);
    } else {
      const action = `write to partition ${lane.partition} of topic "${lane.topic}"`;
      const { location } = this.#client;
      this.fail(refusal(error, { action, location, message, transactionalId: this.identity?.transactionalId }));
    }
  }

  /** The partition is tried again after a while, unless it has failed for too long. */
  #later(lane: PartitionLane, reason: string): void {
    const now = performance.now();
    if (lane.failures++ === 0) lane.failingSince = now;
    lane.notBefore = now + backoffMs(lane.failures);
    this.#retry.at(lane.notBefore);
    const { deliveryTimeoutMs } = this.#settings;
    if (now - lane.failingSince < deliveryTimeoutMs) return;
    this.fail(
      new DeliveryTimeoutError(
        `Nothing could be written to partition ${lane.partition} of topic "${lane.topic}" of Kafka at ` +
          `${this.#client.location} for ${deliveryTimeoutMs} ms: ${reason}. Check the topic and its brokers.`,
      ),
    );
  }
}

/** By topic and partition. */
function byPartition(answers: readonly ProducedPartition[]): Map<string, Map<number, ProducedPartition>> {
  const found = new Map<string, Map<number, ProducedPartition>>();
  for (const answer of answers) {
    const ofTopic = found.get(answer.topic);
    if (ofTopic) ofTopic.set(answer.partition, answer);
    else found.set(answer.topic, new Map([[answer.partition, answer]]));
  }
  return found;
}
