import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { now, shared, statesOf, Worker } from './group.ts';
import type { Pause, WorkerOptions } from './protocol.ts';
import { kafkaOf, newTopic } from './topic.ts';

export interface Pauses {
  /** The longest pause, in ms, of each task that stayed, around each change. */
  readonly changed: readonly number[];
  /** The same where nothing changed, over as many times of the same length. */
  readonly unchanged: readonly number[];
  readonly changes: number;
  readonly recordsPerSecond: number;
}

const partitions = 8;
const tickMs = 20;
const recordsOfTick = 8;
/** After a change all is looked at for this long on top. */
const afterMs = 500;

/** Two processes under a steady load; a third joins and leaves. What the tasks that stay in the two feel of it. */
export async function pausesOf(brokers: string, redis: string, rounds: number): Promise<Pauses> {
  const name = `pauses-${randomUUID()}`;
  const options: WorkerOptions = {
    brokers,
    redis,
    topic: name,
    name,
    tasks: 'per-partition',
    work: 100,
    interval: '1s',
  };
  await newTopic(brokers, name, partitions);
  await using all = new AsyncDisposableStack();
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => Worker.start(options)));
  if (!first || !second || !third) throw new Error('three processes were started');
  const staying = [first, second];
  for (const worker of [...staying, third]) all.use(worker);
  await Promise.all(staying.map(worker => worker.begin()));
  await shared(staying, partitions);
  await using load = await steadyLoad(brokers, name);
  const changed: number[] = [];
  const unchanged: number[] = [];
  const watched = async (change: () => Promise<unknown>): Promise<{ longest: readonly number[]; lastedMs: number }> => {
    for (const worker of staying) await worker.pauses();
    const before = await statesOf(staying);
    const from = now();
    await change();
    const lastedMs = now() - from;
    await setTimeout(afterMs);
    const after = await statesOf(staying);
    const longest: number[] = [];
    for (const [i, worker] of staying.entries()) {
      const pauses = await worker.pauses();
      for (const task of before[i]?.running ?? []) {
        if (after[i]?.running.includes(task)) longest.push(longestOf(pauses, task, from));
      }
    }
    return { longest, lastedMs };
  };
  const joins = async () => {
    await third.begin();
    await shared([...staying, third], partitions);
  };
  const leaves = async () => {
    await third.end();
    await shared(staying, partitions);
  };
  // The first of each is not counted: code is compiled.
  await watched(joins);
  await watched(leaves);
  for (let round = 0; round < rounds; round++) {
    for (const change of [joins, leaves]) {
      const { longest, lastedMs } = await watched(change);
      changed.push(...longest);
      unchanged.push(...(await watched(() => setTimeout(lastedMs))).longest);
    }
  }
  return { changed, unchanged, changes: rounds * 2, recordsPerSecond: load.recordsPerSecond() };
}

function longestOf(pauses: readonly Pause[], task: number, since: number): number {
  return pauses
    .filter(({ partition, to }) => partition === task && to > since)
    .reduce((longest, { from, to }) => Math.max(longest, to - from), 0);
}

/** The same number of records for each partition at each tick. */
async function steadyLoad(brokers: string, topic: string) {
  const producer = kafkaOf(brokers).producer();
  await producer.connect();
  const startedAt = now();
  let sent = 0;
  let isSending = false;
  const timer = setInterval(() => {
    if (isSending) return;
    isSending = true;
    const messages = Array.from({ length: partitions * recordsOfTick }, () => {
      const p = sent++ % partitions;
      return { partition: p, value: `{"key":"key-${p}-${sent % 1_000}","p":${p}}` };
    });
    void producer.send({ topic, messages, acks: 1 }).finally(() => {
      isSending = false;
    });
  }, tickMs);
  return {
    recordsPerSecond: () => (sent / (now() - startedAt)) * 1_000,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await producer.disconnect();
    },
  };
}
