import { type Logger, messageOf, type Source, wrapReader, wrapSource } from '../../../lib/index.ts';
import type { KafkaClient, TopicPartition } from '../client/port.ts';
import type { KafkaConnectionOptions } from '../options.ts';
import { sharedClient } from '../shared-client.ts';
import { readPosition } from '../source/position.ts';
import { deleteBefore } from './delete-before.ts';

/** How often what was read is deleted, at most; ms. */
const pauseMs = 30_000;

/** The source of a channel, which deletes what every state of its reader has passed: nobody else reads it. */
export function purging<T>(source: Source<T>, connection: KafkaConnectionOptions): Source<T> {
  return wrapSource(source, {
    async open(position, context) {
      const client = sharedClient(context, connection);
      const reader = await source.open(position, context);
      const purge = new Purge(client, context.logger, () => context.scheduler.now());
      return wrapReader(reader, {
        committed(id, committed) {
          reader.committed?.(id, committed);
          purge.passed([...readPosition(committed, source.name).partitions.entries()]);
        },
        async close() {
          await reader.close();
          await purge.settled();
        },
      });
    },
  });
}

class Purge {
  readonly #client: KafkaClient;
  readonly #logger: Logger;
  readonly #now: () => number;
  #last: number;
  #isAt = new Map<number, number>();
  #running: Promise<void> | undefined;

  constructor(client: KafkaClient, logger: Logger, now: () => number) {
    this.#client = client;
    this.#logger = logger;
    this.#now = now;
    this.#last = now();
  }

  passed(positions: readonly (readonly [TopicPartition, number])[]): void {
    if (this.#running || this.#now() - this.#last < pauseMs) return;
    const partitions = positions
      .filter(([{ partition }, offset]) => offset > (this.#isAt.get(partition) ?? 0))
      .map(([partition, before]) => ({ ...partition, before }));
    this.#last = this.#now();
    if (partitions.length === 0) return;
    this.#running = deleteBefore(this.#client, partitions)
      .then(
        () => {
          for (const { partition, before } of partitions) this.#isAt.set(partition, before);
        },
        // It is tried again with what is read until then.
        error =>
          this.#logger.warn({ error: messageOf(error) }, 'what was read of an internal topic could not be deleted'),
      )
      .then(() => {
        this.#running = undefined;
      });
  }

  async settled(): Promise<void> {
    await this.#running;
  }
}
