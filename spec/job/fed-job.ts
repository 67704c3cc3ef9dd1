import { memorySink } from '../../connectors/memory/index.ts';
import {
  type DataStream,
  from,
  type JobHandle,
  type JobSettings,
  type JobStreams,
  job,
  memoryStore,
  type SnapshotStore,
  type Source,
  start,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { scan, to } from '../../operators/index.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { quiet } from './quiet.ts';
import { VirtualTime } from './virtual-time.ts';

/** A job in virtual time that sums the numbers that a spec feeds it, on a store that fails as planned. */
export class FedJob {
  readonly time = new VirtualTime();
  readonly source = new MarbleSource('numbers');
  readonly sink = memorySink<number>();
  readonly store = new FailingStore(memoryStore().task({ job: 'sums', task: 'main' }));

  start(settings: JobSettings = {}, store: SnapshotStore = storeOf(this.store), build = this.summed): JobHandle {
    const declared = job('sums', () => build(from(this.source as Source<number>)));
    return start(declared, {
      restart: { strategy: 'none' },
      logger: quiet,
      store,
      scheduler: this.time.scheduler,
      ...settings,
      checkpoint: { interval: 'off', ...settings.checkpoint },
    });
  }

  push(...values: readonly number[]): void {
    for (const value of values) this.source.push({ kind: 'value', value });
  }

  end(): void {
    this.source.push({ kind: 'complete' });
  }

  /** Everything that waits for nothing has run. */
  settled(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve));
  }

  private readonly summed = (input: DataStream<number>): JobStreams =>
    input.pipe(
      scan('sum', (sum: number, value: number) => sum + value, 0),
      to(this.sink),
    );
}

/** How a promise ended, or that it has not, after everything that waits for nothing has run. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = new Promise(resolve => setImmediate(() => resolve('pending')));
  return Promise.race([
    promise.then(
      value => value ?? 'resolved',
      (error: unknown) => error,
    ),
    settled,
  ]);
}
