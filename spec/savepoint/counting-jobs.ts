import { filter, firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import {
  actor,
  createSavepoint,
  from,
  type Job,
  type JobHandle,
  type JobSettings,
  job,
  memoryStore,
  type Savepoint,
  type Sink,
  type SnapshotStore,
  start,
  type,
} from '../../lib/index.ts';
import { keyBy, repartition, scan, to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { collected } from '../scale/collected.ts';
import { type Keyed, PartitionedLog } from '../scale/partitioned-log.ts';

export interface Count {
  readonly key: string;
  readonly count: number;
}

const keys = Array.from({ length: 24 }, (_, n) => `k${n}`);
const partitionOf = (key: unknown, partitions: number): number => Number(String(key).slice(1)) % partitions;

/** Processes of a job that counts the records of each key in a log of four partitions, on one store. */
export class CountingJobs implements AsyncDisposable {
  store: SnapshotStore = memoryStore();
  output: { readonly sink: Sink<Count>; readonly values: readonly Count[] } = collected<Count>();
  readonly log: PartitionedLog;
  private readonly hasRepartition: boolean;
  private readonly hasTotal: boolean;
  private readonly open = new Set<JobHandle>();
  /** How many records of each key there are. */
  rounds = 0;

  /** With `hasRepartition` keys lie in any partition, and records go to their tasks through a channel; `hasTotal`: one actor has no key. */
  constructor({ hasRepartition = false, hasTotal = false } = {}) {
    this.hasRepartition = hasRepartition;
    this.hasTotal = hasTotal;
    this.log = new PartitionedLog({ partitions: 4, ...(hasRepartition ? {} : { partitionOf }) });
  }

  declared(name = 'counts', sink = this.output.sink): Job {
    return job(name, () => {
      const records = from(this.log.source());
      const keyed = (this.hasTotal ? records.pipe(totalled) : records).pipe(keyBy(({ key }: Keyed) => key));
      return (this.hasRepartition ? keyed.pipe(repartition('counts')) : keyed).pipe(
        scan('count', (count: Count, { key }: Keyed) => ({ key, count: count.count + 1 }), { key: '', count: 0 }),
        to(sink),
      );
    });
  }

  run(settings: JobSettings = {}, name?: string, sink?: Sink<Count>): JobHandle {
    const handle = start(this.declared(name, sink), {
      tasks: 'per-partition',
      store: this.store,
      logger: quiet,
      restart: { strategy: 'none' },
      ...settings,
      checkpoint: { interval: '10ms', requestInterval: 5, ...settings.checkpoint },
    });
    handle.done.catch(() => {});
    this.open.add(handle);
    return handle;
  }

  /** Records so far. */
  get fed(): number {
    return this.rounds * keys.length;
  }

  /** So many records of each key. */
  feed(count = 1): void {
    for (let n = 0; n < count; n++) {
      const round = this.rounds++;
      for (const key of keys) {
        const partition = this.hasRepartition ? (round + Number(key.slice(1))) % 4 : partitionOf(key, this.log.count);
        this.log.append(partition, { key, n: round });
      }
    }
  }

  /** Waits until every record was counted, by whichever process. */
  counted(...handles: readonly JobHandle[]): Promise<void> {
    return this.written(this.rounds, ...handles);
  }

  /** Waits until so many counts of each key were written. */
  async written(counts: number, ...handles: readonly JobHandle[]): Promise<void> {
    const all = () => expect.poll(() => this.output.values.length, { timeout: 50_000 }).toBe(counts * keys.length);
    await Promise.race([all(), ...handles.map(over)]);
  }

  /** Each key was counted in order, from behind round `first` on, nothing lost and nothing twice. */
  expectExact(first = 0): void {
    this.expectCounts(Array.from({ length: this.rounds - first }, (_, n) => first + n + 1));
  }

  /** What was written of each key. */
  expectCounts(counts: readonly number[], { values } = this.output): void {
    for (const key of keys) {
      const found = values.filter(value => value.key === key).map(({ count }) => count);
      expect(found, key).toEqual(counts);
    }
  }

  async stopWith(name: string, ...handles: readonly JobHandle[]): Promise<Savepoint> {
    const { savepoint } = await createSavepoint(this.store, 'counts', { name, end: 'stop' });
    for (const handle of handles) expect(await handle.done).toBe('stopped');
    return savepoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.open].map(handle => handle.cancel()));
  }
}

/** Counts all records of a task in state without a key. */
const totalled = actor('total', {
  emits: type<Keyed>(),
  update: 'return',
  initial: () => 0,
  receive(total, record: Keyed, ctx) {
    ctx.emit(record);
    return total + 1;
  },
});

/** Waits until so many tasks run in this process. */
export const running = (handle: JobHandle, count: number): Promise<unknown> =>
  Promise.race([
    over(handle),
    firstValueFrom(
      handle.status$.pipe(
        filter(({ tasks = [] }) => tasks.filter(({ phase }) => phase === 'running').length === count),
      ),
    ),
  ]);

const over = ({ done }: JobHandle): Promise<never> =>
  done.then(outcome => Promise.reject(new Error(`it has ${outcome}`)));
