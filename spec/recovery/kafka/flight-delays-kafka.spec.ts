import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { redisStore } from 'tidemark/connectors/redis';
import { expect, it } from 'vitest';
import { expectedAirports, expectedAlerts, readFlights } from '../../../samples/flight-delays/reference.ts';
import { Command, root, tidemark } from '../harness/command.ts';
import { placeFor } from '../harness/places.ts';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { passes } from '../harness/restarts.ts';
import { CommittedReader } from './harness/committed-reader.ts';
import { LedgerReader } from './harness/ledger-reader.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 180_000;
const flights = readFlights();

/** The lines of each airport, in order. */
function byAirport(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(lines, line => (JSON.parse(line) as { airport: string }).airport);
}

/** What must be in the written topics: the lines of the embedded run, keyed by airport. */
const expected = {
  airports: byAirport(expectedAirports(flights)),
  alerts: byAirport(expectedAlerts(flights)),
};
const outputs = ['airports', 'alerts'] as const;
const countOf = (lines: ReadonlyMap<string, readonly string[]>) => [...lines.values()].flat().length;

/** Topics of its own and one store: what the sample's processes have in common. */
class KafkaFlights {
  readonly brokers = process.env.KAFKA_BROKERS ?? '';
  readonly store: string;
  readonly topics: Readonly<Record<'flights' | 'airports' | 'alerts', string>>;

  constructor(store: string) {
    const id = randomUUID().slice(0, 8);
    this.store = store;
    this.topics = { flights: `flights-${id}`, airports: `airports-${id}`, alerts: `alerts-${id}` };
  }

  async load(): Promise<string> {
    const load = new Command([path.join(root, 'samples/flight-delays/load.ts'), '--topic', this.topics.flights]);
    expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
    return load.output;
  }

  /** `fresh`: the broker may remember a job of this name from an earlier run of the specs. */
  run({ rate, fresh = false }: { readonly rate?: number; readonly fresh?: boolean } = {}): Command {
    const settings = ['connectors=kafka', 'until=latest', ...(rate === undefined ? [] : [`rate=${rate}`])]
      .concat(Object.entries(this.topics).map(([what, topic]) => `${what}=${topic}`))
      .flatMap(setting => ['--set', setting]);
    return tidemark([
      'run',
      'samples/flight-delays',
      '--store',
      this.store,
      ...settings,
      ...(fresh ? ['--fresh'] : []),
    ]);
  }

  follow(): readonly LedgerReader[] {
    return outputs.map(output => LedgerReader.follow(this.brokers, this.topics[output], expected[output]));
  }

  async committedId(): Promise<number> {
    const store = redisStore(this.store);
    try {
      const stored = await store.task({ job: 'flight-delays', task: 'main' }).manifests();
      return stored.findLast(({ confirmed }) => confirmed)?.manifest.id ?? 0;
    } finally {
      await store.close();
    }
  }

  /** Every line is visible, once, in order per airport. */
  async verifyExact(): Promise<void> {
    for (const output of outputs) {
      const count = countOf(expected[output]);
      const { problems, seen } = await LedgerReader.whenVisible(this.brokers, this.topics[output], expected[output], {
        count,
      });
      expect(problems, output).toEqual([]);
      expect(seen, output).toBe(count);
    }
  }
}

it('gives on Kafka, for each airport, what a plain computation gives', { timeout: long }, async () => {
  const { store } = await placeFor('redis');
  const job = new KafkaFlights(store);
  await job.load();
  // Another time it leaves the topic as it is, and says so.
  expect(await job.load()).toContain('Nothing was loaded');
  const loaded = await CommittedReader.all(job.brokers, job.topics.flights);
  expect(loaded).toHaveLength(flights.length);
  expect(new Set(loaded.map(({ partition }) => partition)).size).toBe(4);
  expect(loaded.every(({ key, value }) => (JSON.parse(value) as { origin: string }).origin === key)).toBe(true);

  const command = job.run({ fresh: true });
  expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
  await job.verifyExact();

  // It has finished: nothing comes twice.
  const again = job.run();
  expect(await again.exited, again.output).toEqual({ code: 0, signal: null });
  expect(again.output).toContain('has finished before');
  await job.verifyExact();
});

it('gives the same when it is killed at random moments, and shows nothing else in between', {
  timeout: long,
}, async () => {
  const { store } = await placeFor('redis');
  const job = new KafkaFlights(store);
  const random = randomFrom(printedSeed('kills of the sample on Kafka'));
  const kills = 8;
  await job.load();
  let readers: readonly LedgerReader[] = [];
  let recovered = 0;
  let startMs = 1_500;
  let lastId = 0;
  for (let kill = 1; kill <= kills; kill++) {
    // Slow enough that the input does not end before the last kill.
    const command = job.run({ rate: 1_200, fresh: kill === 1 });
    const isEarly = kill > 1 && random() < 0.3;
    // A fresh start that dies before its first checkpoint has to be fresh again.
    if (kill === 1) await command.says(' committed: ');
    else if (!isEarly) {
      await command.says(' running from ');
      startMs = performance.now() - command.startedAt;
    }
    // The job has made the topics, and what is in them already is read, too.
    if (kill === 1) readers = job.follow();
    await passes(random() * (isEarly ? startMs : 1_200));
    expect(command.isOver, `it ended before kill ${kill}:\n${command.output}`).toBe(false);
    await command.killed();
    if (command.output.includes('running from checkpoint')) recovered++;
    const id = await job.committedId();
    expect(id, `the confirmed checkpoint went back at kill ${kill}`).toBeGreaterThanOrEqual(lastId);
    lastId = id;
    for (const { problems } of readers) expect(problems, `after kill ${kill}`).toEqual([]);
  }
  expect(recovered).toBeGreaterThan(0);

  const last = job.run();
  expect(await last.exited, last.output).toEqual({ code: 0, signal: null });
  await job.verifyExact();
  for (const { problems } of readers) expect(problems).toEqual([]);
});
