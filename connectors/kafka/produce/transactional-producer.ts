import { ExternalError, InternalError, messageOf } from '../../../lib/index.ts';
import type { CommittedOffset, KafkaClient, TopicPartition } from '../client/port.ts';
import type { Header } from '../record.ts';
import { Delivery } from './delivery.ts';
import { EndOfTransaction, type Outcome } from './end-of-transaction.ts';
import { OutcomeUnknownError, ProducerBrokenError } from './errors.ts';
import { type ProducerListener, type ProducerOptions, type ProducerSettings, producerSettings } from './options.ts';
import { refusal } from './refusal.ts';
import { TransactionPartitions } from './transaction-partitions.ts';
import { type EndAnswer, TransactionRequests } from './transaction-requests.ts';
import { TransactionState } from './transaction-state.ts';

const noHeaders: readonly Header[] = [];

/**
 * Writes records in one transaction after another, each begun by its first record or by its offsets. What dooms a
 * transaction dooms the producer: it is closed and another one made. Methods throw what has doomed it; a failure outside
 * a call goes to the listener, once.
 */
export class TransactionalProducer {
  readonly #client: KafkaClient;
  readonly #listener: ProducerListener;
  readonly #settings: ProducerSettings;
  readonly #delivery: Delivery;
  readonly #state = new TransactionState();
  readonly #partitions = new TransactionPartitions();
  readonly #requests: TransactionRequests;
  readonly #stopped = new AbortController();
  /** By group, the offsets of this transaction that may arrive once more. */
  readonly #unanswered = new Map<string, string>();
  #isAdding = false;

  constructor(client: KafkaClient, options: Omit<ProducerOptions, 'acks'>, listener: ProducerListener) {
    this.#client = client;
    this.#listener = listener;
    this.#settings = producerSettings({ ...options, acks: 'all' });
    this.#delivery = new Delivery(client, { ...this.#settings, acks: -1 }, this);
    this.#requests = new TransactionRequests(client, this.#settings.deliveryTimeoutMs, this.#stopped.signal);
  }

  /** Whether a transaction has begun and not ended. */
  get isOpen(): boolean {
    return this.#state.openedAt !== undefined;
  }

  /** When it began, in ms of the monotonic clock (`performance.now()`). */
  get openedAt(): number | undefined {
    return this.#state.openedAt;
  }

  /**
   * Whether `init` must come before the next record: at first, and after a transaction in which an answer was lost. That
   * request may arrive late, and would then change the next transaction of the same epoch (KIP-890).
   */
  get mustInitialise(): boolean {
    return this.#state.phase === 'not initialised';
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
    return this.#delivery.lanes.bufferedBytes >= this.#settings.bufferBytes;
  }

  /**
   * Takes over the transactional id: waits for, or aborts, what was open, and fences whoever had it. Only while no
   * transaction is open. A transaction that lasts longer than `timeoutMs` is aborted by the broker.
   */
  async init(transactionalId: string, timeoutMs: number): Promise<void> {
    if (this.isOpen) throw new InternalError('A Kafka producer was initialised while its transaction was open.');
    const identity = await this.#requests.init(transactionalId, timeoutMs);
    this.#state.step('initialise', performance.now());
    this.#delivery.restart(identity);
  }

  /** Takes a record; `timestamp` in ms since 1970. Key and value are copied. Not between `sendOffsets` and its end, nor while a transaction ends. */
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly Header[] = noHeaders,
  ): void {
    if (this.#state.phase !== 'begun') this.#state.step('write', performance.now());
    this.#delivery.write(topic, partition, timestamp, key, value, headers);
  }

  /** Resolves when everything that was written before is acknowledged. */
  async flush(): Promise<void> {
    const { phase } = this.#state;
    if (phase !== 'begun' && phase !== 'flushing' && phase !== 'doomed') return;
    this.#state.step('flush', performance.now());
    await this.#delivery.flush();
    this.#state.step('flush done', performance.now());
  }

  /**
   * Puts a group's offsets into the transaction, after `flush`, or as its beginning when there was no record; for several
   * groups at once. When the time for it is over, they may be given again later.
   */
  async sendOffsets(group: string, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    this.#state.step('add offsets', performance.now());
    try {
      const text = JSON.stringify(offsets);
      if ((this.#unanswered.get(group) ?? text) !== text) throw this.#wouldMixOffsets(group);
      await this.#requests.addOffsets(group, offsets, () => this.#unanswered.set(group, text));
    } catch (error) {
      if (error instanceof ExternalError && error.code === 'DELIVERY_TIMEOUT' && !this.#state.isDoomed) {
        this.#state.step('offsets failed', performance.now());
      } else this.#doom(error);
      throw error;
    }
    this.#state.step('offsets added', performance.now());
  }

  /**
   * Ends the transaction; asks again, as the same producer, while nobody knows what became of it. Throws
   * `OutcomeUnknownError` when that is still so after `withinMs`, and `ProducerFencedError` when the broker takes no more
   * from this producer: then only what the transaction itself recorded tells. A `DeliveryTimeoutError` says that it was
   * never sent: the transaction is open as before. 'aborted' after a commit: the broker has aborted it, for certain.
   */
  async end(outcome: Outcome, withinMs: number): Promise<'committed' | 'aborted'> {
    if (outcome === 'abort') {
      if (!this.isOpen && !this.#state.isDoomed) return 'aborted';
      await this.flush();
    }
    this.#state.step(outcome, performance.now());
    const end = new EndOfTransaction(outcome);
    const answered = await this.#requests.end(end, outcome, withinMs).catch(error => {
      throw this.#notEnded(error, end, outcome);
    });
    return this.#ended(answered, end, outcome);
  }

  /** Gives up what is not acknowledged, and leaves an open transaction to the broker, which aborts it in time. */
  close(): void {
    this.#doom(new ExternalError(`The transactional producer for Kafka at ${this.#client.location} was closed.`));
  }

  // For its delivery.

  /** A partition is added to the transaction before anything is written to it. */
  admits(partition: TopicPartition): boolean {
    if (this.#partitions.has(partition)) return true;
    this.#partitions.want(partition);
    if (!this.#isAdding) {
      this.#isAdding = true;
      // After the others that are ready now have asked too.
      queueMicrotask(() => this.#addPartitions().catch(error => this.failed(error)));
    }
    return false;
  }

  acknowledged(records: number, bytes: number): void {
    this.#listener.acknowledged?.(records, bytes);
  }

  failed(error: unknown): void {
    if (this.#state.isDoomed) return;
    this.#doom(error);
    this.#listener.failed(error);
  }

  async #addPartitions(): Promise<void> {
    while (this.#partitions.wantsMore) {
      const { wanted } = this.#partitions;
      await this.#requests.addPartitions(wanted);
      for (const partition of wanted) this.#partitions.added(partition);
      this.#delivery.wake();
    }
    this.#isAdding = false;
  }

  #wouldMixOffsets(group: string): Error {
    return new ProducerBrokenError(
      `Offsets of group "${group}" were sent to Kafka at ${this.#client.location} without an answer: they could still ` +
        'arrive, after newer ones of the same transaction. Restart from the last checkpoint.',
    );
  }

  #ended({ step, answer }: EndAnswer, end: EndOfTransaction, outcome: Outcome): 'committed' | 'aborted' {
    if (step === 'committed' || step === 'aborted') {
      this.#partitions.clear();
      this.#unanswered.clear();
      this.#state.step(this.#requests.hasLostAnswer ? 'ended in doubt' : 'ended', performance.now());
      return step;
    }
    const { location } = this.#client;
    const { transactionalId } = this.#requests;
    const action = `${outcome} the transaction of "${transactionalId}"`;
    const cause = refusal(answer, { action, location, transactionalId }, end.mayHaveTakenEffect);
    const error = step === 'unknown' ? this.#outcomeUnknown(cause) : cause;
    this.#doom(error);
    throw error;
  }

  #notEnded(error: unknown, end: EndOfTransaction, outcome: Outcome): unknown {
    if (end.mayHaveTakenEffect) {
      const unknown = outcome === 'commit' ? this.#outcomeUnknown(error) : error;
      this.#doom(unknown);
      return unknown;
    }
    if (this.#state.isDoomed) return error;
    this.#state.step('not sent', performance.now());
    return error;
  }

  #outcomeUnknown(cause: unknown): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `Whether Kafka at ${this.#client.location} committed the transaction of "${this.#requests.transactionalId}" is ` +
        `not known: ${messageOf(cause)} Initialise again and read what it recorded.`,
      { cause },
    );
  }

  #doom(error: unknown): void {
    if (this.#state.isDoomed) return;
    this.#state.doom(error);
    this.#stopped.abort(error);
    this.#delivery.end(error);
  }
}
