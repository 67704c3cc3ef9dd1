import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect, it } from 'vitest';
import { expectedTotals } from '../../../../samples/card-totals/reference.ts';
import { Command, root, tidemark } from '../../../recovery/harness/command.ts';
import { settledContentOf } from '../harness/settled.ts';
import { byKey } from '../harness/topic-content.ts';

const payments = 20_000;

interface Line {
  readonly event?: string;
  readonly phase?: string;
  readonly code?: string;
  readonly tasks?: readonly string[];
  readonly workers?: readonly { readonly name: string; readonly pid?: number; readonly tasks: readonly string[] }[];
}

const linesOf = ({ output }: Command): Line[] =>
  output.split('\n').flatMap(line => (line.startsWith('{') && line.endsWith('}') ? (JSON.parse(line) as Line) : []));

/** The first line from `since` on that tells that all tasks run, in so many workers. */
async function allRun(command: Command, workers: number, since = 0): Promise<Line> {
  const generous = { timeout: 90_000, interval: 50 };
  const find = () =>
    linesOf(command)
      .slice(since)
      .find(
        line =>
          line.event === 'phase' &&
          line.phase === 'running' &&
          line.tasks?.length === 4 &&
          line.workers?.filter(({ tasks }) => tasks.length > 0).length === workers,
      );
  await expect.poll(() => command.isOver || find() !== undefined, generous).toBe(true);
  const line = find();
  if (!line) throw new Error(`It ended before all tasks ran:\n${command.output}`);
  return line;
}

it('three workers share the partitions of a topic: one is killed and started again, all are stopped, and the results are exact', {
  timeout: 240_000,
}, async () => {
  const topic = `payments-${randomUUID()}`;
  const load = new Command(
    [path.join(root, 'samples/card-totals/load.ts'), '--topic', topic, '--payments', `${payments}`],
    { lifetimeMs: 120_000 },
  );
  expect(await load.exited, load.output).toEqual({ code: 0, signal: null });
  const env = { JOB: `totals-${topic}`, TOPIC: topic, TIDEMARK_STORE: process.env.REDIS_URL ?? '' };
  const module = path.join(import.meta.dirname, 'totals-job.ts');
  const run = (...args: string[]) =>
    tidemark(['run', module, '--workers', '3', '--instance-id', topic, '--json', ...args], {
      env,
      lifetimeMs: 180_000,
    });

  const first = run('--set', 'rate=30');
  const before = await allRun(first, 3);
  await first.says('"outcome":"committed"', 8);
  const victim = before.workers?.find(({ name }) => name === `${topic}-2`);
  expect(victim?.pid).toBeGreaterThan(0);
  const since = linesOf(first).length;
  process.kill(victim?.pid as number, 'SIGKILL');
  await first.says('the worker died and is started again');
  const after = await allRun(first, 3, since);
  expect(after.workers?.find(({ name }) => name === victim?.name)?.pid).not.toBe(victim?.pid);
  first.kill('SIGTERM');
  // The input has an end, and was not read up to it.
  expect(await first.exited, first.output).toEqual({ code: 3, signal: null });
  expect(linesOf(first).filter(({ code }) => code !== undefined)).toMatchObject([{ code: 'WORKER_DIED' }]);

  const second = run();
  expect(await second.exited, second.output).toEqual({ code: 0, signal: null });

  const found = byKey(await settledContentOf(process.env.KAFKA_BROKERS ?? '', `${topic}-totals`));
  const wanted = byKey(
    expectedTotals(1, payments).map(value => ({ partition: 0, key: JSON.parse(value).card as string, value })),
  );
  expect(new Map([...found].sort())).toEqual(new Map([...wanted].sort()));
});
