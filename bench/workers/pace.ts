import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { statesOf, until, Worker } from './group.ts';
import type { WorkerOptions, WorkerState } from './protocol.ts';

export interface Pace {
  readonly recordsPerSecond: number;
  /** Of all processes of the job together. */
  readonly recordsPerCpuSecond: number;
  readonly cpuSecondsPerSecond: number;
  readonly fetchesPerSecond: number;
  readonly kafkaRequestsPerSecond: number;
  readonly checkpointsPerSecond: number;
  readonly kafkaConnections: number;
  readonly redisConnections: number;
}

/** Records that each process handles before it is measured: its code is compiled, and its state has all its keys. */
const warmUp = 20_000;

/** What so many processes do in a while, over a topic that has more records than they can handle meanwhile. */
export async function paceOf(
  count: number,
  options: Omit<WorkerOptions, 'name'>,
  tasks: number,
  records: number,
  windowMs: number,
  flags: readonly string[] = [],
): Promise<Pace> {
  await using workers = new AsyncDisposableStack();
  const named = { ...options, name: `pace-${randomUUID()}` };
  const all = await Promise.all(Array.from({ length: count }, () => Worker.start(named, flags)));
  for (const worker of all) workers.use(worker);
  await Promise.all(all.map(worker => worker.begin()));
  const base = new Map<Worker, number>();
  await until('every process has its part, and is warm', async () => {
    const states = await statesOf(all);
    const isShared = states.every(({ running }) => running.length === tasks / count);
    for (const [i, worker] of all.entries()) {
      const { handled = 0 } = states[i] ?? {};
      if (!base.has(worker) && isShared) base.set(worker, handled);
    }
    return isShared && all.every((worker, i) => (states[i]?.handled ?? 0) - (base.get(worker) ?? Infinity) >= warmUp);
  });
  const before = await statesOf(all);
  await setTimeout(windowMs);
  const after = await statesOf(all);
  const total = (of: (state: WorkerState) => number, states = after) => states.reduce((sum, one) => sum + of(one), 0);
  if (total(({ handled }) => handled) >= records) throw new Error('there were too few records to measure with');
  const more = (of: (state: WorkerState) => number) => total(of) - total(of, before);
  const seconds = more(({ at }) => at) / 1_000 / count;
  const cpu = more(({ cpuSeconds }) => cpuSeconds);
  const handled = more(state => state.handled);
  await Promise.all(all.map(worker => worker.end()));
  return {
    recordsPerSecond: handled / seconds,
    recordsPerCpuSecond: handled / cpu,
    cpuSecondsPerSecond: cpu / seconds,
    fetchesPerSecond: more(({ fetches }) => fetches) / seconds,
    kafkaRequestsPerSecond: more(({ kafkaRequests }) => kafkaRequests) / seconds,
    checkpointsPerSecond: more(({ checkpoints }) => checkpoints) / seconds,
    kafkaConnections: total(({ connections }) => connections.kafka),
    redisConnections: total(({ connections }) => connections.redis),
  };
}
