import { CommittedReader, type SeenRecord } from './committed-reader.ts';

/**
 * Follows what is committed in the output of the ledger: at every moment each card must show a beginning of what it shows in
 * the end, in order. So nothing is there twice, nothing is missing in between, and nothing that an abandoned attempt wrote
 * becomes visible.
 */
export class LedgerReader {
  readonly problems: string[] = [];
  /** Records seen. */
  seen = 0;
  private readonly expected: ReadonlyMap<string, readonly string[]>;
  private readonly at = new Map<string, number>();
  private readonly partitions = new Map<string, number>();

  constructor(expected: ReadonlyMap<string, readonly string[]>) {
    this.expected = expected;
  }

  /** Reads on while the job runs. */
  static follow(brokers: string, topic: string, expected: ReadonlyMap<string, readonly string[]>): LedgerReader {
    const reader = new LedgerReader(expected);
    new CommittedReader(brokers, topic, record => reader.take(record));
    return reader;
  }

  /** What is wrong with all that is committed now, in words; `isComplete`: everything must be there. */
  static async verify(
    brokers: string,
    topic: string,
    expected: ReadonlyMap<string, readonly string[]>,
    isComplete: boolean,
  ): Promise<LedgerReader> {
    const reader = new LedgerReader(expected);
    for (const record of await CommittedReader.all(brokers, topic)) reader.take(record);
    if (isComplete) reader.verifyComplete();
    return reader;
  }

  take({ partition, offset, key, value }: SeenRecord): void {
    this.seen++;
    const at = this.at.get(key) ?? 0;
    this.at.set(key, at + 1);
    const wanted = this.expected.get(key)?.[at];
    if (value !== wanted && this.problems.length < 10) {
      this.problems.push(`partition ${partition}, offset ${offset}: ${key} has ${value} instead of ${wanted} (${at})`);
    }
    if ((this.partitions.get(key) ?? partition) !== partition) this.problems.push(`${key} is in two partitions`);
    this.partitions.set(key, partition);
  }

  private verifyComplete(): void {
    for (const [key, lines] of this.expected) {
      const seen = this.at.get(key) ?? 0;
      if (seen < lines.length && this.problems.length < 10) this.problems.push(`${key}: ${seen} of ${lines.length}`);
    }
  }
}
