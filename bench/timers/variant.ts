// Many timers in a process of its own: node --conditions=tidemark-dev bench/timers/variant.ts <event | processing>
import { setTimeout, setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { actor, type CheckpointEvent, job, memoryStore, start, type TimerKind } from 'tidemark';
import { keyBy } from 'tidemark/operators';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { batchSize, changedTimers, manyTimers, watermarks } from './load.ts';

/** What a phase took. */
export interface Spent {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface TimersResult {
  readonly set: Spent;
  readonly fired: Spent;
  /** With all timers, then with those that came after. */
  readonly full: Pick<CheckpointEvent, 'entries' | 'stallMs'>;
  readonly delta: Pick<CheckpointEvent, 'entries' | 'stallMs'>;
}

interface Due {
  readonly account: string;
  /** ms, from 0. */
  readonly at: number;
}

const kind = process.argv[2] as TimerKind;
const hourMs = 3_600_000;
const all = manyTimers + changedTimers;
let count = 0;
/** When the first falls due by the clock: long after all are set and stored. */
const base = Date.now() + hourMs;
const { stream, opened } = benchSource<Due>();
const timers = actor('timers', {
  update: 'return',
  initial: () => 0,
  receive(_state, { at }: Due, ctx) {
    if (kind === 'event') ctx.timers.atEventTime(at);
    else ctx.timers.atProcessingTime(base + at);
  },
  onTimer() {
    count++;
  },
});
const running = start(
  job('timers', () =>
    stream()
      .pipe(keyBy(due => due.account))
      .pipe(timers),
  ),
  { store: memoryStore(), checkpoint: { interval: 'off' }, logger: quiet },
);
running.done.catch(error => {
  console.error(error);
  process.exit(1);
});
const source = await opened;
const set = await spent(() => give(0, manyTimers));
const full = await checkpoint();
await give(manyTimers, all);
const delta = await checkpoint();
const fired = await spent(kind === 'event' ? fire : putClockForward);
if (count < all) throw new Error(`${count} of ${all} timers fired`);
const result: TimersResult = { set, fired, full, delta };
console.log(JSON.stringify(result));
await running.cancel();

/** Timers `from` to `to`, in no order of time. */
async function give(from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += batchSize) {
    source.batch(
      Array.from({ length: batchSize }, (_, i) => ({
        account: `account-${n + i}`,
        at: ((n + i) * 7_919) % manyTimers,
      })),
    );
    await yieldToEventLoop();
  }
}

async function fire(): Promise<void> {
  for (let step = 1; step <= watermarks; step++) {
    source.watermark((step * manyTimers) / watermarks);
    await yieldToEventLoop();
  }
}

/** All are overdue at once, as after a long halt; the alarm rings for one that is set then. */
async function putClockForward(): Promise<void> {
  const now = Date.now;
  Date.now = () => now() + 2 * hourMs;
  source.batch([{ account: 'last', at: -hourMs }]);
  while (count <= all) await setTimeout(1);
}

async function spent(work: () => Promise<void>): Promise<Spent> {
  const startedAt = performance.now();
  const usedBefore = process.threadCpuUsage();
  await work();
  const used = process.threadCpuUsage(usedBefore);
  return { wallMs: performance.now() - startedAt, cpuMs: (used.user + used.system) / 1_000 };
}

function checkpoint(): Promise<Pick<CheckpointEvent, 'entries' | 'stallMs'>> {
  return new Promise((resolve, reject) => {
    const subscription = running.checkpoints$.subscribe(({ outcome, entries, stallMs }) => {
      subscription.unsubscribe();
      if (outcome === 'committed') resolve({ entries, stallMs });
      else reject(new Error(`a checkpoint was ${outcome}`));
    });
    running.checkpoint();
  });
}
