import { expect } from 'vitest';
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import type { QueryName } from '../../../../samples/nexmark/queries/index.ts';
import { quiet } from '../../../job/quiet.ts';
import { goldenLines, surplus } from '../../harness/nexmark.ts';
import type { Answer } from '../../harness/side-by-side.ts';
import { CommittedReader } from './committed-reader.ts';

/** The answer of a query in a topic of four partitions, which a reader of committed records follows. */
export class AnswerTopic implements Answer {
  readonly job: string;
  readonly params: Readonly<Record<string, string>>;
  problems: readonly string[] = [];
  private readonly brokers: string;
  private readonly topic: string;
  private readonly golden: readonly string[];
  private readonly reader: CommittedReader;
  private looked = 0;

  private constructor(query: QueryName, job: string, brokers: string) {
    this.job = job;
    this.brokers = brokers;
    this.topic = job;
    this.golden = goldenLines(query);
    this.params = { query, sink: 'kafka', answers: job };
    this.reader = new CommittedReader(brokers, job);
  }

  /** Makes the topics first: their readers come before the answers. Each is called as its job. */
  static async all(brokers: string, jobs: Readonly<Record<string, QueryName>>): Promise<AnswerTopic[]> {
    const client = kafkaClient({ brokers }, quiet);
    try {
      const made = await client.createTopics(Object.keys(jobs).map(topic => ({ topic, partitions: 4 })));
      for (const { error, topic } of made) expect(error, topic).toBe('NONE');
    } finally {
      await client.close();
    }
    return Object.entries(jobs).map(([job, query]) => new AnswerTopic(query, job, brokers));
  }

  async look(): Promise<void> {
    if (this.lines.length === this.looked) return;
    this.looked = this.lines.length;
    this.problems = surplus(this.lines, this.golden);
  }

  async verify(): Promise<void> {
    // A transaction is decided before its markers are in all partitions.
    await expect
      .poll(() => this.lines.length, { timeout: 30_000, message: this.job })
      .toBeGreaterThanOrEqual(this.golden.length);
    const again = await CommittedReader.all(this.brokers, this.topic);
    const golden = this.golden.toSorted();
    expect(this.lines.toSorted(), this.job).toEqual(golden);
    expect(again.map(({ value }) => value).sort(), this.job).toEqual(golden);
  }

  get lines(): readonly string[] {
    return this.reader.records.map(({ value }) => value);
  }
}
