import { ExternalError, messageOf } from '../../../lib/index.ts';
import type { KafkaClient, KafkaNode } from '../client/port.ts';
import { KafkaConnectionError } from '../errors.ts';
import type { Header } from '../record.ts';
import { backoffMs } from './backoff.ts';
import { Delivery } from './delivery.ts';
import { DeliveryTimeoutError } from './errors.ts';
import { acksNumber, type ProducerListener, type ProducerOptions, producerSettings } from './options.ts';
import { refusal } from './refusal.ts';
import { coordinatorVerdict } from './verdict.ts';

const noHeaders: readonly Header[] = [];

/**
 * Writes records to partitions, those of a partition in order, without a transaction. With `acks` of `all` it is
 * idempotent: each record is there once, whatever answers were lost; else records may be lost or doubled when a broker
 * or a connection fails.
 */
export class Producer {
  readonly #client: KafkaClient;
  readonly #listener: ProducerListener;
  readonly #delivery: Delivery;
  readonly #isIdempotent: boolean;
  readonly #bufferBytes: number;
  readonly #timeoutMs: number;
  #isInitialising = false;
  #initialisingSince: number | undefined;
  #failures = 0;

  constructor(client: KafkaClient, options: ProducerOptions, listener: ProducerListener) {
    const settings = producerSettings(options);
    this.#client = client;
    this.#listener = listener;
    this.#isIdempotent = settings.acks === 'all';
    this.#bufferBytes = settings.bufferBytes;
    this.#timeoutMs = settings.deliveryTimeoutMs;
    this.#delivery = new Delivery(client, { ...settings, acks: acksNumber[settings.acks] }, this);
  }

  /** Records that are not acknowledged yet, and the bytes that they take. */
  get bufferedRecords(): number {
    return this.#delivery.lanes.bufferedRecords;
  }

  get bufferedBytes(): number {
    return this.#delivery.lanes.bufferedBytes;
  }

  /** Whether as much is buffered as there should be; `write` takes more all the same. */
  get isFull(): boolean {
    return this.#delivery.lanes.bufferedBytes >= this.#bufferBytes;
  }

  /** Takes a record; `timestamp` in ms since 1970. Key and value are copied. Throws when the producer has failed. */
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[] = noHeaders,
  ): void {
    this.#delivery.write(topic, partition, timestamp, key, value, headers);
  }

  /** Resolves when everything that was written before is acknowledged; rejects with what the producer fails with. */
  flush(): Promise<void> {
    return this.#delivery.flush();
  }

  /** Gives up what is not acknowledged; after a `flush` that is nothing. */
  close(): void {
    this.#delivery.end(new ExternalError(`The producer for Kafka at ${this.#client.location} was closed.`));
  }

  // For its delivery.

  admits(_: unknown, node: KafkaNode): boolean {
    if (!this.#isIdempotent || this.#delivery.identity !== undefined) return true;
    void this.#initialise(node);
    return false;
  }

  acknowledged(records: number, bytes: number): void {
    this.#listener.acknowledged?.(records, bytes);
  }

  failed(error: unknown): void {
    this.#listener.failed(error);
  }

  /** Takes a producer id: any broker gives one, here the leader that the first batch goes to. */
  async #initialise(node: KafkaNode): Promise<void> {
    if (this.#isInitialising) return;
    this.#isInitialising = true;
    this.#initialisingSince ??= performance.now();
    try {
      const { error, producerId, producerEpoch } = await node.initProducerId(undefined, 0);
      if (error === 'NONE') {
        this.#delivery.identity = { producerId, producerEpoch, transactionalId: undefined };
        this.#delivery.wake();
      } else if (coordinatorVerdict(error).startsWith('again')) this.#initialiseLater(error);
      else throw refusal(error, { action: 'give a producer id', location: node.address, transactionalId: undefined });
    } catch (error) {
      if (error instanceof KafkaConnectionError) this.#initialiseLater(messageOf(error));
      else this.#delivery.fail(error);
    }
    this.#isInitialising = false;
  }

  #initialiseLater(reason: string): void {
    const failingForMs = performance.now() - (this.#initialisingSince ?? 0);
    if (failingForMs < this.#timeoutMs) this.#delivery.findLeadersAgain(backoffMs(++this.#failures));
    else {
      const what = `Kafka at ${this.#client.location} gave no producer id for ${this.#timeoutMs} ms: ${reason}`;
      this.#delivery.fail(new DeliveryTimeoutError(`${what}. Check its brokers.`));
    }
  }
}
