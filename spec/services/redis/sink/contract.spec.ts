import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { type RedisSinkOptions, redisSink } from '../../../../connectors/redis/index.ts';
import { type RedisServer, startRedis } from '../../../../tools/services/redis.ts';
import { atLeastOnceSinkContract, exactlyOnceSinkContract } from '../../../contract/sink.contract.ts';
import { type RedisCluster, startCluster } from '../cluster.ts';

let server: RedisServer;
let cluster: RedisCluster;
let clients: Redis[] = [];

beforeAll(async () => {
  server = await startRedis();
  cluster = await startCluster();
  clients = [new Redis(server.url), ...cluster.nodes];
});

afterAll(async () => {
  clients[0]?.disconnect();
  await server.stop();
  await cluster[Symbol.asyncDispose]();
});

interface Line {
  readonly n: number;
  readonly by: string;
}

type Place = Pick<RedisSinkOptions<Line>, 'redis'>;

/** A sink whose records are pushed to a list, so that their order and number are seen; a counter must agree with it. */
function subject(guarantee: 'exactly-once' | 'at-least-once', place: () => Place, visibleAt: () => Redis[]) {
  return () => {
    const tag = randomUUID();
    const [list, count] = [`{${tag}}:lines`, `{${tag}}:count`];
    return {
      sink: () =>
        redisSink<Line>({
          name: 'lines',
          guarantee,
          hashTag: tag,
          ...place(),
          write: line => [
            { command: 'listPush', key: list, values: [JSON.stringify(line)] },
            { command: 'hashIncrement', key: count, field: 'lines', by: 1 },
          ],
        }),
      // Lines of different lengths, so that one in the place of another does not go unseen.
      record: (n: number, by: number): Line => ({ n, by: 'é'.repeat(by) }),
      async visible() {
        for (const node of visibleAt()) {
          const found = await node
            .multi()
            .lrange(list, 0, -1)
            .hget(count, 'lines')
            .exec()
            .catch(() => undefined);
          const [lines, counted] = found ?? [];
          if (lines?.[0] ?? !lines) continue;
          const texts = lines[1] as string[];
          if (Number(counted?.[1] ?? 0) !== texts.length)
            throw new Error(`${counted?.[1]} were counted of ${texts.length}`);
          return texts.map(text => JSON.parse(text) as Line);
        }
        throw new Error('no node has the keys');
      },
    };
  };
}

const onServer = () => ({ redis: server.url });
const onCluster = () => ({ redis: { cluster: [`127.0.0.1:${cluster.servers[0]?.port}`] } });

exactlyOnceSinkContract(
  'the Redis sink',
  subject('exactly-once', onServer, () => clients.slice(0, 1)),
);
atLeastOnceSinkContract(
  'the Redis sink',
  subject('at-least-once', onServer, () => clients.slice(0, 1)),
);
exactlyOnceSinkContract(
  'the Redis sink on a cluster',
  subject('exactly-once', onCluster, () => clients.slice(1)),
);
atLeastOnceSinkContract(
  'the Redis sink on a cluster',
  subject('at-least-once', onCluster, () => clients.slice(1)),
);
