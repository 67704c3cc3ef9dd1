import { setTimeout as wait } from 'node:timers/promises';
import {
  type Json,
  type Key,
  type MaybePromise,
  messageOf,
  type SinkContext,
  type SinkWriter,
} from '../../../lib/index.ts';
import { LineQueue } from './line-queue.ts';
import type { KafkaSinkSettings } from './options.ts';
import type { Outlet } from './outlet.ts';
import { type EncodedRecord, RecordEncoder } from './record-encoder.ts';
import type { TopicRoutes } from './topic-routes.ts';

/** A value that waits for its topic or its serializer. */
interface Raw<T> {
  readonly topic: string;
  readonly raw: T;
  readonly timestamp: number;
  readonly key: Key | undefined;
}

type Waiting<T> = Raw<T> | EncodedRecord;

/** How long the end of a task waits for records that nobody was promised. */
const lastRecordsMs = 3_000;

/**
 * Writes to Kafka. What comes behind the barrier of a checkpoint waits, in order and holding credits, until that is over,
 * when the sink is exactly-once: the transaction that decides must hold nothing of the next one. An abandoned checkpoint lets
 * it go into the transaction that stays open.
 */
export class KafkaSinkWriter<T> implements SinkWriter<T> {
  readonly #settings: KafkaSinkSettings<T>;
  readonly #context: SinkContext;
  readonly #outlet: Outlet;
  readonly #routes: TopicRoutes;
  readonly #encoder: RecordEncoder<T>;
  readonly #queue: LineQueue<Waiting<T>>;
  readonly #stopped = new AbortController();
  #preparing: string | undefined;
  #whenDrained: (() => void) | undefined;

  constructor(settings: KafkaSinkSettings<T>, context: SinkContext, outlet: Outlet, routes: TopicRoutes) {
    this.#settings = settings;
    this.#context = context;
    this.#outlet = outlet;
    this.#routes = routes;
    this.#encoder = new RecordEncoder(settings, () => Date.now());
    this.#queue = new LineQueue(settings.guarantee === 'exactly-once');
  }

  /** Gets all that is needed for a topic that is always written to. */
  async prepare(topic: string): Promise<void> {
    await this.#routes.prepare(topic);
    await this.#settings.value.prepare?.(topic, 'value', this.#stopped.signal);
  }

  restore(): void {}

  write(value: T, timestamp: number, key: Key | undefined): void {
    const topic = this.#encoder.topicOf(value);
    const route = this.#isReady(topic) ? this.#routes.route(topic) : undefined;
    if (!this.#queue.mustWait && route) {
      this.#put(this.#encoder.encode(route, value, timestamp, key));
      return;
    }
    // What can be encoded is, so that nobody changes the value meanwhile.
    this.#queue.push(
      route ? this.#encoder.encode(route, value, timestamp, key) : { topic, raw: value, timestamp, key },
    );
    this.#context.credits.acquire(1);
    this.#pump();
  }

  barrier(): void {
    this.#queue.draw();
  }

  async flush(): Promise<Json> {
    if (!this.#queue.isDrained) {
      await new Promise<void>(resolve => {
        this.#whenDrained = resolve;
      });
    }
    if (this.#settings.guarantee !== 'none') await this.#outlet.flush();
    return null;
  }

  commit(): void {
    this.#over();
  }

  abandon(): void {
    this.#over();
  }

  close(): MaybePromise<void> {
    this.#stopped.abort(new Error('the sink was closed'));
    this.#context.credits.release(this.#queue.size);
    this.#context.credits.full(false);
    this.#queue.clear();
    // No checkpoint has waited for it: what still waits for a fuller batch goes now.
    if (this.#settings.guarantee === 'none') return this.#sentInTime();
  }

  async #sentInTime(): Promise<void> {
    const late = new AbortController();
    const sent = this.#outlet.flush().catch(error => {
      this.#context.logger.warn({ error: messageOf(error) }, 'the last records of a sink without guarantee are lost');
    });
    await Promise.race([sent, wait(lastRecordsMs, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  #over(): void {
    this.#queue.remove();
    try {
      this.#pump();
    } catch (error) {
      // Of a record of the next checkpoint: this one has ended well.
      this.#context.error(error);
    }
  }

  #isReady(topic: string): boolean {
    return this.#routes.route(topic) !== undefined && (this.#settings.value.isPrepared?.(topic, 'value') ?? true);
  }

  /** Writes what waits, as far as it may go and its topics are known. */
  #pump(): void {
    let written = 0;
    for (let next = this.#queue.peek(); next; next = this.#queue.peek()) {
      const record = 'raw' in next ? this.#encodeWaiting(next) : next;
      if (!record) break;
      this.#queue.shift();
      written++;
      this.#put(record);
    }
    if (written > 0) this.#context.credits.release(written);
    if (this.#whenDrained && this.#queue.isDrained) {
      this.#whenDrained();
      this.#whenDrained = undefined;
    }
  }

  #encodeWaiting({ topic, raw, timestamp, key }: Raw<T>): EncodedRecord | undefined {
    const route = this.#routes.route(topic);
    if (route && this.#isReady(topic)) return this.#encoder.encode(route, raw, timestamp, key);
    this.#prepareWaiting(topic);
    return undefined;
  }

  #prepareWaiting(topic: string): void {
    if (this.#preparing !== undefined) return;
    this.#preparing = topic;
    const done = () => {
      this.#preparing = undefined;
      if (!this.#stopped.signal.aborted) this.#pump();
    };
    this.prepare(topic)
      .then(done)
      .catch(error => {
        if (!this.#stopped.signal.aborted) this.#context.error(error);
      });
  }

  #put({ topic, partition, timestamp, key, value, headers }: EncodedRecord): void {
    const outlet = this.#outlet;
    outlet.write(topic, partition, timestamp, key, value, headers);
    if (!outlet.isFull) return;
    this.#context.credits.full(true);
    outlet.whenRoom(this.#hasRoom);
  }

  /** One and the same each time: it is told once, however often it was asked for. */
  readonly #hasRoom = (): void => {
    if (!this.#stopped.signal.aborted) this.#context.credits.full(false);
  };
}
