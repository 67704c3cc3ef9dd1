import { randomUUID } from 'node:crypto';
import { now, shared, statesOf, until, Worker } from './group.ts';
import type { TaskEvent, WorkerOptions } from './protocol.ts';
import { fill, newTopic } from './topic.ts';

export interface TakeOver {
  readonly why: 'SIGKILL' | 'SIGTERM' | 'a process joins';
  readonly keys: number;
  /** From the first assignment to the last task that runs. */
  readonly assignedToRunningMs: number;
  /** Of one task, the slowest. */
  readonly slowestTaskMs: number;
  /** From the signal, or the start of the joining, until all tasks run. */
  readonly wholeMs: number;
}

const partitions = 8;
/** Any half of the partitions has a million. */
const keysOfPartition = 250_000;
export const keys = keysOfPartition * partitions;
/** ms without a checkpoint after which all state is in one. */
const quietMs = 3_000;

/** Two processes with a million keys each; one of them goes and another one comes, again and again. */
export async function takeOvers(brokers: string, redis: string, rounds: number): Promise<readonly TakeOver[]> {
  const name = `take-over-${randomUUID()}`;
  const options: WorkerOptions = { brokers, redis, topic: name, name, tasks: 'per-partition', work: 0, interval: '1s' };
  await newTopic(brokers, name, partitions);
  await fill(brokers, name, partitions, keysOfPartition, (p, n) => `{"key":"account-${p}-${n}"}`);
  await using all = new AsyncDisposableStack();
  const started = async () => all.use(await Worker.start(options));
  const stays = await started();
  let goes = await started();
  await Promise.all([stays.begin(), goes.begin()]);
  const found: TakeOver[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const why of ['SIGKILL', 'SIGTERM'] as const) {
      await settled([stays, goes]);
      await stays.events();
      const goneAt = now();
      const gone = goes.kill(why);
      await shared([stays], partitions);
      await gone;
      found.push(tookOver(why, await stays.events(), goneAt));
      goes = await started();
      await settled([stays]);
      const joinedAt = now();
      await goes.begin();
      await shared([stays, goes], partitions);
      found.push(tookOver('a process joins', await goes.events(), joinedAt));
    }
  }
  for (const one of found) console.error(`  ${JSON.stringify(one)}`);
  return found;
}

/** All keys are there, and in checkpoints. */
async function settled(workers: readonly Worker[]): Promise<void> {
  await shared(workers, partitions);
  await until('all keys were in checkpoints', async () => {
    const states = await statesOf(workers);
    const there = states.reduce((sum, state) => sum + state.keys, 0);
    return there === keys && states.every(({ at, lastCheckpointAt }) => at - lastCheckpointAt > quietMs);
  });
}

function tookOver(why: TakeOver['why'], events: readonly TaskEvent[], since: number): TakeOver {
  const assigned = new Map<number, number>();
  const took: number[] = [];
  let last = 0;
  for (const { is, task, at } of events) {
    if (is === 'assigned') assigned.set(task, at);
    const from = assigned.get(task);
    if (is !== 'running' || from === undefined) continue;
    took.push(at - from);
    last = Math.max(last, at);
  }
  return {
    why,
    keys: took.length * keysOfPartition,
    assignedToRunningMs: last - Math.min(...assigned.values()),
    slowestTaskMs: Math.max(...took),
    wholeMs: last - since,
  };
}
