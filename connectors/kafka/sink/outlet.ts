import type { KafkaClient } from '../client/port.ts';
import type { ProducerOptions } from '../produce/options.ts';
import { Producer } from '../produce/producer.ts';
import type { Header } from '../record.ts';

/** Where a sink writes to: the transaction of the task, or the producer that the other sinks share. */
export interface Outlet {
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers?: readonly Header[],
  ): void;
  flush(): Promise<void>;
  /** Whether so much waits for its acknowledgement that sources should pause. */
  readonly isFull: boolean;
  /** Calls once when half of the buffer is free again. */
  whenRoom(tell: () => void): void;
}

/** The producer without transactions that sinks with the same options share. */
export class SharedProducer implements Outlet {
  readonly #producer: Producer;
  readonly #bufferBytes: number;
  readonly #whenRoom = new Set<() => void>();

  constructor(client: KafkaClient, options: ProducerOptions, failed: (error: unknown) => void) {
    this.#bufferBytes = options.bufferBytes ?? 32 * 1024 * 1024;
    this.#producer = new Producer(client, options, { acknowledged: () => this.#acknowledged(), failed });
  }

  get isFull(): boolean {
    return this.#producer.isFull;
  }

  whenRoom(tell: () => void): void {
    this.#whenRoom.add(tell);
  }

  write(...record: Parameters<Outlet['write']>): void {
    this.#producer.write(...record);
  }

  flush(): Promise<void> {
    return this.#producer.flush();
  }

  close(): void {
    this.#producer.close();
  }

  #acknowledged(): void {
    if (this.#whenRoom.size === 0 || this.#producer.bufferedBytes > this.#bufferBytes / 2) return;
    const waiting = [...this.#whenRoom];
    this.#whenRoom.clear();
    for (const tell of waiting) tell();
  }
}
