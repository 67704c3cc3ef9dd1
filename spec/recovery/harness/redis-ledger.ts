import { Redis } from 'ioredis';
import { expect } from 'vitest';

export interface LedgerEntry {
  readonly n: number;
  readonly account: string;
  readonly amount: number;
}

/** The n-th entry. */
export const entryAt = (n: number): LedgerEntry => ({ n, account: `a${(n * n + 3 * n) % 23}`, amount: (n % 17) - 5 });

/** The keys that jobs/redis-ledger.ts writes. */
export const ledgerKeys = (prefix: string) => ({
  sums: `${prefix}:sums`,
  count: `${prefix}:count`,
  counts: `${prefix}:counts`,
  list: `${prefix}:list`,
  stream: `${prefix}:stream`,
});

/** What is in Redis at one moment. */
interface Look {
  readonly count: number;
  readonly sums: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, string>>;
  readonly list: readonly string[];
  readonly stream: readonly string[];
}

/** Somebody who reads the output all the time: each look must be what the first so many entries give, and never fewer. */
export class LedgerReader {
  looks = 0;
  count = 0;
  readonly problems: string[] = [];
  readonly #client: Redis;
  readonly #keys: ReturnType<typeof ledgerKeys>;
  #isStopped = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(url: string, prefix: string) {
    this.#client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.#client.on('error', () => {});
    this.#keys = ledgerKeys(prefix);
  }

  start(): this {
    this.#reading = this.#read();
    return this;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
    await this.look();
    this.#client.disconnect();
    expect(this.problems).toEqual([]);
  }

  async look(): Promise<void> {
    const found = await this.#lookAt();
    this.looks++;
    if (!found) return;
    const wanted = expectedLook(found.count);
    for (const what of ['sums', 'counts', 'list', 'stream'] as const) {
      if (JSON.stringify(sorted(found[what])) === JSON.stringify(sorted(wanted[what]))) continue;
      this.problems.push(`look ${this.looks}: ${what} are not those of ${found.count} entries`);
    }
    if (found.count < this.count) this.problems.push(`look ${this.looks}: ${found.count} entries after ${this.count}`);
    this.count = found.count;
  }

  async #read(): Promise<void> {
    while (!this.#isStopped && this.problems.length === 0) {
      await this.look();
      // The reader's own pace; nothing waits for it.
      await new Promise(resolve => setTimeout(resolve, 15));
    }
  }

  /** `undefined` while Redis cannot be read. */
  async #lookAt(): Promise<Look | undefined> {
    const { sums, count, counts, list, stream } = this.#keys;
    const replies = await this.#client
      .multi()
      .hgetall(sums)
      .get(count)
      .hgetall(counts)
      .lrange(list, 0, -1)
      .xrange(stream, '-', '+')
      .exec()
      .catch(() => null);
    if (!replies || replies.some(([error]) => error)) return undefined;
    const [foundSums, foundCount, foundCounts, foundList, foundStream] = replies.map(([, reply]) => reply);
    return {
      sums: foundSums as Look['sums'],
      count: Number(foundCount ?? 0),
      counts: foundCounts as Look['counts'],
      list: foundList as string[],
      stream: (foundStream as [string, string[]][]).map(([, fields]) => fields.join()),
    };
  }
}

/** What the first `count` entries give, from a computation that knows nothing of Tidemark. */
function expectedLook(count: number): Look {
  const sums: Record<string, number> = {};
  const counts: Record<string, number> = {};
  const list: string[] = [];
  const stream: string[] = [];
  for (let n = 0; n < count; n++) {
    const { account, amount } = entryAt(n);
    sums[account] = (sums[account] ?? 0) + amount;
    counts[account] = (counts[account] ?? 0) + 1;
    list.push(`${n}`);
    stream.push(`n,${n},sum,${sums[account]}`);
  }
  return { count, sums: texts(sums), counts: texts(counts), list, stream };
}

const texts = (numbers: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, `${value}`]));

const sorted = (found: Look['sums'] | Look['list']): unknown =>
  Array.isArray(found) ? found : Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1));
