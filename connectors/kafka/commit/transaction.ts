import type { SchedulerLike, Subscription } from 'rxjs';
import {
  CommitPointFencedError,
  ExternalError,
  InternalError,
  type Logger,
  messageOf,
  TidemarkError,
} from '../../../lib/index.ts';
import type { CommittedOffset, KafkaClient } from '../client/port.ts';
import type { ProducerOptions } from '../produce/options.ts';
import { TransactionalProducer } from '../produce/transactional-producer.ts';
import type { Header } from '../record.ts';
import { tooOld } from './transaction-timeout.ts';

/** What the one transaction of a task needs of the task. */
export interface TransactionHost {
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
  readonly transactionalId: string;
  /** Asks for a checkpoint. */
  checkpoint(): void;
  /** The task fails with this error. */
  error(error: unknown): void;
}

/** How long an open transaction may take to be aborted when its task ends without committing it. */
const abortMs = 3_000;

/**
 * The transaction of a task, which all of its exactly-once sinks and its dead letters write into: begun by the first record
 * behind a commit, it holds all output since then, through checkpoints that are abandoned, until one is committed.
 */
export class KafkaTransaction {
  readonly clusterId: string;
  readonly producerOptions: Omit<ProducerOptions, 'acks'>;
  readonly timeoutMs: number;
  readonly #host: TransactionHost;
  readonly #producer: TransactionalProducer;
  readonly #bufferBytes: number;
  readonly #whenRoom = new Set<() => void>();
  /** What came from outside the sinks since the barrier. */
  #held: (() => void)[] | undefined;
  #heldBytes = 0;
  #age: Subscription | undefined;
  #isEnding = false;
  #isClosed = false;
  /** The broker has ended the transaction without committing it: another one would lack its records. */
  #aborted: CommitPointFencedError | undefined;

  constructor(
    client: KafkaClient,
    host: TransactionHost,
    of: { readonly clusterId: string; readonly timeoutMs: number; readonly producer: Omit<ProducerOptions, 'acks'> },
  ) {
    this.clusterId = of.clusterId;
    this.timeoutMs = of.timeoutMs;
    this.producerOptions = of.producer;
    this.#host = host;
    this.#bufferBytes = of.producer.bufferBytes ?? 32 * 1024 * 1024;
    this.#producer = new TransactionalProducer(client, of.producer, {
      acknowledged: () => this.#tellRoom(),
      failed: error => host.error(this.#lasting(error)),
    });
  }

  /** Whether so much waits for its acknowledgement that sources should pause. */
  get isFull(): boolean {
    return this.#producer.isFull || this.#heldBytes >= this.#bufferBytes;
  }

  /** Calls once when half of the buffer is free again. */
  whenRoom(tell: () => void): void {
    this.#whenRoom.add(tell);
  }

  /** Takes over the transactional id, and aborts what earlier incarnations had open. */
  async init(): Promise<void> {
    await this.#producer.init(this.#host.transactionalId, this.timeoutMs);
  }

  /** Takes a record into the open transaction, or begins one. Not between the barrier of a sink and the end of its checkpoint. */
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers?: readonly Header[],
  ): void {
    if (this.#aborted) throw this.#aborted;
    try {
      this.#producer.write(topic, partition, timestamp, key, value, headers);
    } catch (error) {
      throw this.#lasting(error);
    }
    if (this.#age === undefined) this.#watchAge();
  }

  /** As `write`, for what no sink holds back: from the barrier to the end of the checkpoint it waits, and takes `bytes` of the buffer. */
  writeBehindBarrier(write: () => void, bytes: number): void {
    if (this.#held) {
      this.#held.push(write);
      this.#heldBytes += bytes;
    } else write();
  }

  /** Resolves when all that was written before is in Kafka, though in no committed transaction yet. */
  async flush(): Promise<void> {
    try {
      await this.#producer.flush();
    } catch (error) {
      throw this.#lasting(error);
    }
  }

  /** Checkpoint begins: what comes from outside the sinks belongs to the next one. */
  began(): void {
    this.#held ??= [];
  }

  /** The checkpoint is over, committed or abandoned. */
  over(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const write of held) write();
    this.#tellRoom();
  }

  /**
   * Puts offsets into the transaction and commits it. Rejects with `CommitPointFencedError` when this producer can never tell
   * or do more about it, and with an error that may pass when it may be asked again.
   */
  async commit(groups: Iterable<readonly [string, readonly CommittedOffset[]]>, withinMs: number): Promise<void> {
    if (this.#aborted) throw this.#aborted;
    let outcome: 'committed' | 'aborted';
    this.#isEnding = true;
    try {
      await this.#producer.flush();
      for (const [group, offsets] of groups) await this.#producer.sendOffsets(group, offsets);
      outcome = await this.#producer.end('commit', withinMs);
    } catch (error) {
      throw this.#lasting(error);
    } finally {
      this.#isEnding = false;
    }
    this.#age?.unsubscribe();
    this.#age = undefined;
    if (outcome === 'aborted') {
      this.#aborted = new CommitPointFencedError('The broker has aborted the transaction that was to be committed.');
      throw this.#aborted;
    }
  }

  /** After a transaction in which an answer was lost; the store's fence was seen to be ours just before. */
  async renew(): Promise<void> {
    if (!this.#producer.mustInitialise) return;
    this.#host.logger.info(
      { transactionalId: this.#host.transactionalId },
      'an answer of Kafka was lost: initialising again',
    );
    await this.init();
  }

  /** Aborts what is open where that is quick, so that readers need not wait for the broker to do it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#age?.unsubscribe();
    const producer = this.#producer;
    if (producer.isOpen && !this.#isEnding) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>(resolve => {
        timer = setTimeout(resolve, abortMs);
      });
      // Doomed, fenced or out of reach: then the broker, or the next incarnation, ends it.
      const aborted = producer.end('abort', abortMs).then(
        () => {},
        () => {},
      );
      await Promise.race([aborted, late]);
      clearTimeout(timer);
    }
    producer.close();
  }

  #watchAge(): void {
    const { scheduler } = this.#host;
    this.#age = scheduler.schedule(
      () => {
        // Without checkpoints by the clock, or when they are rare: before it gets too old.
        if (!this.#isClosed && this.#producer.isOpen) this.#host.checkpoint();
        this.#age = scheduler.schedule(() => this.#isTooOld(), (tooOld / 2) * this.timeoutMs);
      },
      (tooOld / 2) * this.timeoutMs,
    );
  }

  #isTooOld(): void {
    // Whether it counts is being decided: that has a time limit of its own.
    if (this.#isEnding || this.#isClosed || !this.#producer.isOpen) return;
    this.#host.error(
      new ExternalError(
        `The transaction of "${this.#host.transactionalId}" is open for ${tooOld * this.timeoutMs} ms: the broker would abort it ` +
          `at ${this.timeoutMs} ms (transactionTimeout). The task restarts from its last checkpoint.`,
      ),
    );
  }

  #tellRoom(): void {
    if (this.#whenRoom.size === 0 || this.#producer.bufferedBytes + this.#heldBytes > this.#bufferBytes / 2) return;
    const waiting = [...this.#whenRoom];
    this.#whenRoom.clear();
    for (const tell of waiting) tell();
  }

  /** What was wrong lasts as long as this producer: only a new incarnation can find out what became of the transaction. */
  #lasting(error: unknown): unknown {
    if (error instanceof InternalError || error instanceof CommitPointFencedError) return error;
    if (error instanceof TidemarkError && (!error.retriable || error.code === 'DELIVERY_TIMEOUT')) return error;
    return new CommitPointFencedError(messageOf(error), { cause: error });
  }
}
