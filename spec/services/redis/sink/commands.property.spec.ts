import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RedisCommand } from '../../../../connectors/redis/index.ts';
import { encodeCommand } from '../../../../connectors/redis/sink/encode-command.ts';
import { Requirements } from '../../../../connectors/redis/sink/requirements.ts';
import { UserCodeError } from '../../../../lib/errors.ts';
import { type RedisServer, startRedis } from '../../../../tools/services/redis.ts';
import type { Committed } from '../../../contract/sink-probe.ts';
import { SinkRun } from './sink-run.ts';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

/** Mostly the keys of one kind, so that not every run ends at a contradiction. */
const of = (own: string) =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(own) }, { weight: 1, arbitrary: fc.constantFrom(...keys) });
const keys = ['number', 'hash', 'list', 'ranks'] as const;
const field = fc.constantFrom('f0', 'f1');
const value = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom('1', '-7', `${2n ** 62n}`) },
  { weight: 1, arbitrary: fc.constantFrom('text', '01') },
);
const by = fc.integer({ min: -5, max: 5 });
const is = <C extends string>(name: C) => fc.constant(name);

// No streams: their ids are the server's, so two of them never compare equal.
const command: fc.Arbitrary<RedisCommand> = fc.oneof(
  fc.record({ command: is('set'), key: of('number'), value }),
  fc.record({ command: is('delete'), key: fc.constantFrom(...keys) }),
  fc.record({ command: is('increment'), key: of('number'), by }),
  fc.record({ command: is('hashSet'), key: of('hash'), fields: fc.dictionary(field, value, { minKeys: 1 }) }),
  fc.record({ command: is('hashIncrement'), key: of('hash'), field, by }),
  fc.record({ command: is('listPush'), key: of('list'), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ command: is('sortedSetIncrement'), key: of('ranks'), member: value, by }),
);
const step = fc.record({
  commands: fc.array(command, { maxLength: 6 }),
  end: fc.constantFrom('commit', 'commit', 'commit', 'abandon', 'crash decided', 'crash undecided'),
});

it('leaves in Redis what the decided commands give one after another, or refuses and changes nothing of it', async () => {
  let refused = 0;
  let carriedOut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 4 }), fc.array(step, { maxLength: 8 }), async (before, steps) => {
      await client.flushall();
      // Two copies: db 0 is the sink's, db 1 has the same commands carried out by hand.
      for (const db of [0, 1]) {
        await client.select(db);
        await carryOut(before);
      }
      await using run = new SinkRun(server.url);
      let token = 1;
      let last: Committed | undefined;
      let probe = await run.open(server.url, token);
      let open: RedisCommand[] = [];
      for (const [id, { commands, end }] of steps.entries()) {
        try {
          probe.write(commands);
        } catch (error) {
          // Commands that contradict one another end a job.
          expect(error).toBeInstanceOf(UserCodeError);
          return;
        }
        open.push(...commands);
        const isFine = await wouldDo(open);
        const prepared = await probe.prepare(id + 1).catch((error: Error) => error);
        expect(prepared instanceof Error, String(prepared)).toBe(!isFine);
        if (prepared instanceof Error) {
          refused++;
          break;
        }
        if (end === 'abandon') {
          probe.writer.abandon(id + 1);
          continue;
        }
        if (end !== 'crash undecided') {
          await client.select(1);
          await carryOut(open);
          carriedOut += open.length;
          last = prepared;
        }
        open = [];
        if (end === 'commit') await probe.commit(prepared);
        else probe = await run.open(server.url, ++token, last);
        expect(await contents(0)).toEqual(await contents(1));
      }
      expect(await contents(0)).toEqual(await contents(1));
    }),
    {
      numRuns: 150,
      // The text that an abandoned checkpoint replaces is no obstacle to an increment behind it.
      examples: [
        [
          [],
          [
            { commands: [{ command: 'hashSet', key: 'hash', fields: { f1: 'text' } }], end: 'commit' },
            { commands: [{ command: 'hashSet', key: 'hash', fields: { f1: '1' } }], end: 'abandon' },
            { commands: [{ command: 'hashIncrement', key: 'hash', field: 'f1', by: 0 }], end: 'commit' },
          ],
        ],
      ],
    },
  );
  expect(refused).toBeGreaterThan(10);
  expect(carriedOut).toBeGreaterThan(100);
});

/** Carries out what can be in the database that is selected; answers whether that was everything. */
async function carryOut(commands: readonly RedisCommand[]): Promise<boolean> {
  const words: Parameters<typeof encodeCommand>[1] = [];
  for (const one of commands) encodeCommand(one, words, new Requirements());
  let isFine = true;
  for (const [verb, ...rest] of words) {
    await client.call(String(verb), ...rest).catch(() => {
      isFine = false;
    });
  }
  return isFine;
}

/** Whether Redis would carry out all of them on what is there now. */
async function wouldDo(commands: readonly RedisCommand[]): Promise<boolean> {
  await client.select(0);
  for (const name of keys) await client.copy(name, name, 'DB', 2, 'REPLACE');
  await client.select(2);
  const isFine = await carryOut(commands);
  await client.flushdb();
  return isFine;
}

async function contents(db: number): Promise<unknown> {
  await client.select(db);
  return Promise.all(keys.map(name => read(name).then(found => [name, found])));
}

async function read(name: string): Promise<unknown> {
  switch (await client.type(name)) {
    case 'string':
      return client.get(name);
    case 'hash':
      return client.hgetall(name);
    case 'list':
      return client.lrange(name, 0, -1);
    case 'zset':
      return client.zrange(name, '0', '-1', 'WITHSCORES');
    default:
      return undefined;
  }
}
