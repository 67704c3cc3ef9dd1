import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { batches, batchSize, type Payment } from './payments.ts';

/** Records between two barriers. */
export const barrierEvery = 100_000;

/** What a feed drives. */
export interface Fed {
  batch(payments: readonly Payment[]): void;
  barrier(): void;
}

export interface Pace {
  /** Records before the clock starts, for the compiler. */
  readonly warmUp: number;
  /** Records that are timed. */
  readonly timed: number;
}

export interface Elapsed {
  readonly wallMs: number;
  /** Processor time of the main thread: what other processes on the machine falsify less. */
  readonly cpuMs: number;
}

/** Feeds a chain batch by batch, yielding to the event loop in between as a source does; answers what the timed part took. */
export async function feed(fed: Fed, { warmUp, timed }: Pace): Promise<Elapsed> {
  const each = async (from: number, to: number): Promise<void> => {
    for (let records = from; records < to; records += batchSize) {
      fed.batch(batches[(records / batchSize) % batches.length] as readonly Payment[]);
      if ((records + batchSize) % barrierEvery === 0) fed.barrier();
      await yieldToEventLoop();
    }
  };
  await each(0, warmUp);
  const startedAt = performance.now();
  const usedBefore = process.threadCpuUsage();
  await each(warmUp, warmUp + timed);
  const used = process.threadCpuUsage(usedBefore);
  return { wallMs: performance.now() - startedAt, cpuMs: (used.user + used.system) / 1_000 };
}
