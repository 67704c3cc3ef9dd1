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

  /**
   * Resolves when `count` records are visible. A transaction is decided before its markers are in all partitions, so what is
   * committed may become visible a moment later; rejects when it does not within `timeoutMs`.
   */
  static async whenVisible(
    brokers: string,
    topic: string,
    expected: ReadonlyMap<string, readonly string[]>,
    { count, timeoutMs = 30_000 }: { readonly count: number; readonly timeoutMs?: number },
  ): Promise<LedgerReader> {
    const reader = new LedgerReader(expected);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(
      () =>
        reject(new Error(`${reader.seen} of ${count} records are visible after ${timeoutMs} ms: ${reader.missing()}`)),
      timeoutMs,
    );
    const following = new CommittedReader(brokers, topic, record => {
      reader.take(record);
      if (reader.seen >= count) resolve();
    });
    try {
      await promise;
    } finally {
      clearTimeout(late);
      await following.stop();
    }
    // All of it, as far as it goes by now: nothing more has come.
    const again = new LedgerReader(expected);
    for (const record of await CommittedReader.all(brokers, topic)) again.take(record);
    reader.problems.push(...again.problems);
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

  /** Some of what was not seen, in words. */
  missing(): string {
    const short = [...this.expected].filter(([key, lines]) => (this.at.get(key) ?? 0) < lines.length);
    return short
      .slice(0, 10)
      .map(([key, lines]) => `${key}: ${this.at.get(key) ?? 0} of ${lines.length}`)
      .join(', ');
  }
}
