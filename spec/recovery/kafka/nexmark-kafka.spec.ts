import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { kafkaClient } from '../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import { Generator } from '../../../samples/nexmark/generator/generator.ts';
import type { QueryName } from '../../../samples/nexmark/queries/index.ts';
import { expected } from '../../../samples/nexmark/reference.ts';
import { quiet } from '../../job/quiet.ts';
import { Command, root, tidemark } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { CommittedReader } from './harness/committed-reader.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 180_000;
const count = 20_000;
const seed = 23;
const eventsPerSecond = 200;
const disorderMs = 2_000;
const kills = 5;
const topic = `nexmark-${randomUUID().slice(0, 8)}`;
const brokers = () => process.env.KAFKA_BROKERS ?? '';

const generator = new Generator({ seed, eventsPerSecond, disorderMs });
const events = Array.from({ length: count }, (_, n) => generator.at(n));

/** The lines of the answer, in any order. */
const golden = (query: QueryName): string[] => (expected[query]?.(events) ?? []).map(row => JSON.stringify(row)).sort();

/** Lines that are there more often than they may be. */
function surplus(lines: readonly string[], golden: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of golden) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter(line => {
    const times = left.get(line) ?? 0;
    left.set(line, times - 1);
    return times < 1;
  });
}

/** One query over the topic, its store, and where its answers can be seen. */
interface Asked {
  readonly query: QueryName;
  readonly store: string;
  readonly sets: readonly string[];
  /** What is committed so far. */
  readonly visible: () => readonly string[];
  /** Everything that is committed, read again from its beginning. */
  readonly all: () => Promise<readonly string[]>;
  /** Begins to read what becomes visible. */
  readonly follow: () => void;
}

async function intoTopic(query: QueryName): Promise<Asked> {
  const { store } = await placeFor('redis');
  const answers = `${topic}-${query}`;
  const client = kafkaClient({ brokers: brokers() }, quiet);
  // Its reader comes before the first answer, which makes the topic otherwise.
  const [made] = await client.createTopics([{ topic: answers, partitions: 4 }]);
  await client.close();
  expect(made?.error).toBe('NONE');
  let reader: CommittedReader | undefined;
  return {
    query,
    store,
    sets: ['sink=kafka', `answers=${answers}`],
    visible: () => reader?.records.map(({ value }) => value) ?? [],
    all: async () => (await CommittedReader.all(brokers(), answers)).map(({ value }) => value),
    follow: () => {
      reader = new CommittedReader(brokers(), answers);
    },
  };
}

async function intoFile(query: QueryName): Promise<Asked> {
  const { store, folder } = await placeFor('redis');
  const file = path.join(folder, `${query}.jsonl`);
  const visible = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
  return { query, store, sets: [`out=${folder}`], visible, all: async () => visible(), follow() {} };
}

/** `isFresh`: the broker may remember a job of this name from an earlier run of the specs. */
function run({ query, store, sets }: Asked, { rate, isFresh }: { readonly rate?: number; readonly isFresh: boolean }) {
  const all = [`query=${query}`, 'source=kafka', `topic=${topic}`, 'until=latest', `disorder=${disorderMs}ms`]
    .concat(sets)
    .concat(rate === undefined ? [] : [`rate=${rate}`]);
  return tidemark(
    ['run', 'samples/nexmark', '--store', store, ...(isFresh ? ['--fresh'] : [])].concat(
      all.flatMap(one => ['--set', one]),
    ),
  );
}

beforeAll(async () => {
  const load = new Command([
    path.join(root, 'samples/nexmark/load.ts'),
    ...['--topic', topic, '--events', `${count}`, '--seed', `${seed}`],
    ...['--eventsPerSecond', `${eventsPerSecond}`, '--disorder', `${disorderMs}ms`],
  ]);
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
});

describe('Nexmark on Kafka, with its state in Redis', () => {
  it('reads events that lie in four partitions, each in its own order', async () => {
    const loaded = await CommittedReader.all(brokers(), topic);
    expect(loaded.map(({ value }) => value).sort()).toEqual(events.map(event => JSON.stringify(event)).sort());
    expect(new Set(loaded.map(({ partition }) => partition)).size).toBe(4);
  });

  it.each([
    ['q5', 'a topic', intoTopic],
    ['q8', 'a topic', intoTopic],
    ['q11', 'a topic', intoTopic],
    ['q7', 'a file', intoFile],
  ] as const)(
    'gives of %s in %s what plain loops give, and nothing else in between, when it is killed at random moments',
    {
      timeout: long,
    },
    async (query, _where, into) => {
      const asked = await into(query);
      const lines = golden(query);
      expect(lines.length).toBeGreaterThan(10);
      const random = randomFrom(printedSeed(`kills of ${query} on Kafka`));
      let recovered = 0;
      let startMs = 1_500;
      for (let kill = 1; kill <= kills; kill++) {
        // Slow enough that the input does not end before the last kill.
        const command = run(asked, { rate: 2_500, isFresh: kill === 1 });
        const isEarly = kill > 2 && random() < 0.3;
        // A fresh start that dies before its first checkpoint would have to be fresh again.
        if (kill === 1) await command.says(' committed: ');
        else if (!isEarly) {
          await command.says(' running from ');
          startMs = performance.now() - command.startedAt;
        }
        if (kill === 1) asked.follow();
        await passes(random() * (isEarly ? startMs : 1_200));
        expect(command.isOver, `it ended before kill ${kill}:\n${command.output}`).toBe(false);
        await command.killed();
        if (command.output.includes('running from checkpoint')) recovered++;
        expect(surplus(asked.visible(), lines), `after kill ${kill}`).toEqual([]);
      }
      expect(recovered).toBeGreaterThan(0);

      const last = run(asked, { isFresh: false });
      expect(await last.exited, last.output).toEqual({ code: 0, signal: null });
      // A transaction is decided before its markers are in all partitions.
      await expect.poll(() => asked.visible().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(lines.length);
      expect([...asked.visible()].sort()).toEqual(lines);
      expect([...(await asked.all())].sort()).toEqual(lines);
    },
  );
});
