import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../tools/services/redis.ts';
import { type Command, tidemark } from './harness/command.ts';
import { ended, placeFor } from './harness/places.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { LedgerReader } from './harness/redis-ledger.ts';
import { passes } from './harness/restarts.ts';

const entries = 12_000;

function run(sink: RedisServer, prefix: string, store: string, rate?: number): Command {
  const settings = [`redis=${sink.url}`, `prefix=${prefix}`, `entries=${entries}`, ...(rate ? [`rate=${rate}`] : [])];
  const sets = settings.flatMap(setting => ['--set', setting]);
  return tidemark(['run', 'spec/recovery/jobs/redis-ledger.ts', '--store', store, ...sets]);
}

/** Kills the process at random moments, and every fourth time Redis as well; then lets the job finish. */
async function killAtRandom(kills: number, what: string, store: 'file' | 'redis', killsRedis: boolean): Promise<void> {
  const random = randomFrom(printedSeed(what));
  const place = await placeFor(store);
  let sink = ended(await startRedis({ dir: `${place.folder}/sink` }));
  const prefix = `spec-${randomUUID()}`;
  const reader = new LedgerReader(sink.url, prefix).start();
  let recovered = 0;
  let startMs = 1_000;
  for (let kill = 1; kill <= kills; kill++) {
    const command = run(sink, prefix, place.store, 600);
    const isEarly = random() < 0.3;
    if (!isEarly) {
      await command.says(' running from ');
      startMs = performance.now() - command.startedAt;
    }
    await passes(random() * (isEarly ? startMs : 500));
    expect(command.isOver, `it ended before kill ${kill}:\n${command.output}`).toBe(false);
    if (killsRedis && kill % 4 === 0) {
      await sink.kill();
      await passes(random() * 300);
    }
    await command.killed();
    if (killsRedis && kill % 4 === 0) sink = ended(await startRedis({ dir: sink.dir, port: sink.port }));
    if (command.output.includes('running from checkpoint')) recovered++;
    expect(reader.problems, `after kill ${kill}`).toEqual([]);
  }
  const last = run(sink, prefix, place.store);
  expect(await last.exited, last.output).toEqual({ code: 0, signal: null });
  await reader.stop();
  expect(reader.count).toBe(entries);
  expect(recovered).toBeGreaterThan(0);
  expect(reader.looks).toBeGreaterThan(kills);
}

it(
  'shows in Redis at every look what the first so many records give, over 15 kills at random moments',
  () => killAtRandom(15, 'Redis sink, process killed', 'file', false),
  120_000,
);

it(
  'does so while Redis is killed as well, and with the store on a Redis of its own',
  () => killAtRandom(12, 'Redis sink, Redis killed too', 'redis', true),
  120_000,
);

it('shows nothing of a process that was stopped, overtaken and let go on', async () => {
  const place = await placeFor('file');
  const sink = ended(await startRedis({ dir: `${place.folder}/sink` }));
  const prefix = `spec-${randomUUID()}`;
  const reader = new LedgerReader(sink.url, prefix).start();
  const zombie = run(sink, prefix, place.store, 600);
  await zombie.says(' committed: ', 3);
  zombie.kill('SIGSTOP');
  const next = run(sink, prefix, place.store, 2_000);
  await next.says(' committed: ', 3);
  zombie.kill('SIGCONT');
  const { code } = await zombie.exited;
  expect(zombie.output).toContain('FENCED');
  expect(code).not.toBe(0);
  expect(await next.exited, next.output).toEqual({ code: 0, signal: null });
  await reader.stop();
  expect(reader.count).toBe(entries);
});
