import type { SchedulerLike, Subscription } from 'rxjs';
import { type Logger, messageOf } from '../../../lib/index.ts';
import type { KafkaClient, TopicMetadata } from '../client/port.ts';
import { isLasting } from './fetch-failure.ts';
import type { TopicChanges, TopicWatch } from './topic-watch.ts';

/** Looks for new topics and partitions at intervals. */
export class Discovery {
  readonly #client: KafkaClient;
  readonly #watch: TopicWatch;
  readonly #intervalMs: number;
  readonly #scheduler: SchedulerLike;
  readonly #logger: Logger;
  readonly #changed: (changes: TopicChanges) => Promise<void>;
  #timer: Subscription | undefined;
  #isClosed = false;

  constructor(
    client: KafkaClient,
    watch: TopicWatch,
    intervalMs: number,
    scheduler: SchedulerLike,
    logger: Logger,
    changed: (changes: TopicChanges) => Promise<void>,
  ) {
    this.#client = client;
    this.#watch = watch;
    this.#intervalMs = intervalMs;
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#changed = changed;
  }

  /** Looks for the first time after one interval; `failed` is told what no later look would mend. */
  begin(failed: (error: unknown) => void): void {
    if (this.#isClosed) return;
    this.#timer = this.#scheduler.schedule(() => {
      void this.#look(failed).then(() => this.begin(failed));
    }, this.#intervalMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.unsubscribe();
  }

  async #look(failed: (error: unknown) => void): Promise<void> {
    let metadata: readonly TopicMetadata[];
    try {
      metadata = await this.#client.topics(this.#watch.asked);
    } catch (error) {
      if (this.#isClosed) return;
      if (isLasting(error)) failed(error);
      else {
        this.#logger.warn(
          { error: messageOf(error) },
          'could not look for new topics and partitions; looks again later',
        );
      }
      return;
    }
    if (this.#isClosed) return;
    const changes = this.#watch.look(metadata);
    const { added, removed, remade, shrunk } = changes;
    if (added.length + removed.length + remade.length + shrunk.length === 0) return;
    // They are known from here on: what cannot be taken up now would never be.
    await this.#changed(changes).catch(failed);
  }
}
