import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect, it } from 'vitest';
import { json, kafkaSource } from '../../../connectors/kafka/index.ts';
import { memorySink } from '../../../connectors/memory/index.ts';
import { from, job, memoryStore, start } from '../../../lib/index.ts';
import { to } from '../../../operators/index.ts';
import type { CardTotal } from '../../../samples/card-totals/payments.ts';
import { expectedTotals } from '../../../samples/card-totals/reference.ts';
import { startRedis } from '../../../tools/services/redis.ts';
import { documentsOf } from '../../deploy/files.ts';
import { quiet } from '../../job/quiet.ts';
import { Command, root, tidemark } from '../../recovery/harness/command.ts';
import { temporaryFolder } from '../../recovery/harness/temporary-folder.ts';
import { settled } from './harness/settled.ts';

const payments = 20_000;

/** What a read_committed reader finds in the topic of all that is decided, in the order of its partitions. */
async function read(topic: string): Promise<readonly CardTotal[]> {
  await settled(process.env.KAFKA_BROKERS ?? '', topic);
  const sink = memorySink<CardTotal>();
  const source = kafkaSource<CardTotal>({
    topic,
    value: json(),
    start: 'earliest',
    stop: 'latest',
    commitOffsets: false,
  });
  const reading = job(`reader-${randomUUID()}`, () => from(source).pipe(to(sink)));
  await start(reading, { store: memoryStore(), logger: quiet }).done;
  return sink.committed;
}

/** Texts by the card that they are about, in order. */
function byCard(lines: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const { card } = JSON.parse(line) as CardTotal;
    found.set(card, [...(found.get(card) ?? []), line]);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

it('card-totals reads and writes Kafka as it does the embedded ends, killed in the middle', async () => {
  const topic = `payments-${randomUUID()}`;
  const totals = `${topic}-totals`;
  const store = path.join(temporaryFolder(), 'state');
  const load = new Command([
    path.join(root, 'samples/card-totals/load.ts'),
    '--topic',
    topic,
    '--payments',
    `${payments}`,
  ]);
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
  const sets = ['connectors=kafka', `topic=${topic}`, `totals=${totals}`, 'until=latest'];
  const run = (more: readonly string[], ...args: string[]) =>
    tidemark(
      ['run', 'samples/card-totals', '--store', store, ...args].concat(
        [...sets, ...more].flatMap(setting => ['--set', setting]),
      ),
    );

  // Fresh: the broker may remember a job of this name.
  const first = run(['rate=1000'], '--fresh', '--interval', '200ms');
  await first.says(' committed: ', 3);
  await first.killed();
  const second = run([]);
  expect(await second.exited, second.output).toEqual({ code: 0, signal: null });
  expect(second.output).toContain('running from checkpoint');

  const found = (await read(totals)).map(total => JSON.stringify(total));
  const wanted = expectedTotals(1, payments);
  expect(found).toHaveLength(wanted.length);
  expect(byCard(found)).toEqual(byCard(wanted));
});

it('card-totals runs on Kafka and Redis with the command of compose.yaml, is asked how it is, and stops', async () => {
  const [compose] = documentsOf<{ services: Record<'worker-1' | 'load', { command: string[]; entrypoint: string[] }> }>(
    'compose.yaml',
  );
  const { 'worker-1': worker, load: filling } = (compose as NonNullable<typeof compose>).services;
  const topic = `payments-${randomUUID()}`;
  const load = new Command([...filling.entrypoint.slice(1), '--topic', topic, '--payments', '2000']);
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });

  await using redis = await startRedis();
  const named = path.join(import.meta.dirname, 'named-card-totals.ts');
  const words = worker.command.map(word => {
    if (word === 'samples/card-totals') return named;
    return word.replace(/^0\.0\.0\.0:\d+$/, '127.0.0.1:0');
  });
  expect(words).toContain(named);
  const sets = [`topic=${topic}`, `totals=${topic}-totals`].flatMap(setting => ['--set', setting]);
  // Not fresh: per-partition tasks cannot be. Its Redis is new, and so is its name, as the broker may remember others.
  const run = tidemark([...words, ...sets], { env: { TIDEMARK_STORE: redis.url, JOB: `totals-${topic}` } });
  await run.says('serves ');
  const [, url] = / at (http:[\w./:]+)/.exec(run.output) ?? [];
  const ask = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    return { code: answer.status, text: await answer.text() };
  };
  await expect
    .poll(() => ask('/status'), { timeout: 40_000 })
    .toMatchObject({
      text: expect.stringMatching(/"phase":"running".*"records":\{"in":2000,/),
    });
  expect(await ask('/healthz')).toMatchObject({ code: 200 });
  expect(await ask('/readyz')).toEqual({ code: 200, text: 'running\n' });
  expect((await ask('/metrics')).text).toMatch(
    /^tidemark_source_position\{job_name="totals-payments-[^"]+",.*\} [1-9]/m,
  );
  run.kill('SIGTERM');
  expect(await run.exited, run.output).toEqual({ code: 0, signal: null });
  expect(run.output).toContain('final checkpoint');
});
