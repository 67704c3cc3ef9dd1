import { type Logger, messageOf } from '../../../lib/index.ts';
import type { CommittedOffset, KafkaClient } from '../client/port.ts';
import type { PartitionMap } from './partitions.ts';

/** One failure in so many ms is told of. */
const reminderMs = 60_000;
/** Kafka forgets the offsets of a group without members (offsets.retention.minutes): the same ones are committed again after this time. */
const refreshMs = 12 * 3_600_000;

/**
 * Commits offsets of a group that nobody joins, for people and monitoring: one request at a time, the newest offsets next.
 * A failure is counted and logged, and mended by the next commit.
 */
export class GroupCommits {
  /** Commits that failed. */
  failures = 0;
  readonly #client: KafkaClient;
  readonly #group: string;
  readonly #logger: Logger;
  readonly #now: () => number;
  #next: readonly CommittedOffset[] | undefined;
  #last = '';
  #lastAt = Number.NEGATIVE_INFINITY;
  #isWorking = false;
  #working: Promise<void> | undefined;
  #lastReminder = Number.NEGATIVE_INFINITY;

  constructor(client: KafkaClient, group: string, logger: Logger, now: () => number) {
    this.#client = client;
    this.#group = group;
    this.#logger = logger;
    this.#now = now;
  }

  /** Commits these offsets, once what is under way is over. */
  commit(partitions: PartitionMap<number>): void {
    const offsets: CommittedOffset[] = [];
    for (const [partition, offset] of partitions.entries()) offsets.push({ ...partition, offset, metadata: '' });
    if (offsets.length === 0) return;
    this.#next = offsets;
    if (!this.#isWorking) this.#working = this.#work();
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Over before it returns when there is nothing new. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let offsets = this.#next; offsets; offsets = this.#next) {
      this.#next = undefined;
      const text = JSON.stringify(offsets);
      if (text === this.#last && this.#now() - this.#lastAt < refreshMs) continue;
      try {
        await this.#send(offsets);
        this.#last = text;
        this.#lastAt = this.#now();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#isWorking = false;
  }

  async #send(offsets: readonly CommittedOffset[]): Promise<void> {
    const coordinator = await this.#client.coordinator('group', this.#group);
    let answers: Awaited<ReturnType<typeof coordinator.offsetCommit>>;
    try {
      answers = await coordinator.offsetCommit({ group: this.#group, offsets });
    } catch (error) {
      this.#client.forgetCoordinator('group', this.#group);
      throw error;
    }
    const refused = answers.find(({ error }) => error !== 'NONE');
    if (!refused) return;
    this.#client.forgetCoordinator('group', this.#group);
    throw new Error(`${refused.error} for ${refused.topic}-${refused.partition}`);
  }

  #failed(error: unknown): void {
    this.failures++;
    if (this.#now() - this.#lastReminder < reminderMs) return;
    this.#lastReminder = this.#now();
    this.#logger.warn(
      { group: this.#group, failures: this.failures, error: messageOf(error) },
      'the offsets of the group could not be committed; checkpoints are not concerned',
    );
  }
}
