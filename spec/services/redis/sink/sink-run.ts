import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type RedisCommand, type RedisSinkOptions, redisSink } from '../../../../connectors/redis/index.ts';
import type { TidemarkError } from '../../../../lib/errors.ts';
import { type Committed, SinkProbe } from '../../../contract/sink-probe.ts';

/** One sink over one Redis, whose records are their own commands. */
export class SinkRun implements AsyncDisposable {
  readonly name = `spec-${randomUUID()}`;
  readonly client: Redis;
  readonly #probes: SinkProbe<readonly RedisCommand[]>[] = [];

  constructor(url: string) {
    this.client = new Redis(url);
    // It is the sink that has to say so.
    this.client.on('error', () => {});
  }

  async open(
    url: string,
    token: number,
    from?: Committed,
    options: Partial<RedisSinkOptions<readonly RedisCommand[]>> = {},
  ): Promise<SinkProbe<readonly RedisCommand[]>> {
    const sink = redisSink<readonly RedisCommand[]>({
      name: this.name,
      redis: { url, commandTimeout: '10s' },
      write: commands => commands,
      ...options,
    });
    const probe = await SinkProbe.open(sink, token, from);
    this.#probes.push(probe);
    return probe;
  }

  /** The sink's own keys that are there. */
  async ownKeys(): Promise<string[]> {
    return (await this.client.keys(`*:sink:*${this.name}*`)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const probe of this.#probes) await probe.close();
    this.client.disconnect();
  }
}

export async function failureOf(work: Promise<unknown>): Promise<TidemarkError> {
  try {
    await work;
  } catch (error) {
    return error as TidemarkError;
  }
  throw new Error('it succeeded');
}

export const count = (key: string, by = 1): RedisCommand => ({ command: 'increment', key, by });
