// One variant in a process of its own:
// node --conditions=tidemark-dev bench/async/variant.ts <ordered|unordered|plain> <concurrency> <records>
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { map } from 'rxjs';
import { from, job, memoryStore, type SourceContext, start } from 'tidemark';
import { mapAsync } from 'tidemark/operators';
import { quiet } from '../harness/quiet.ts';
import { batchSize } from '../throughput/payments.ts';

export interface VariantResult {
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
}

/** Records between two checkpoints. */
const barrierEvery = 100_000;

const [name = '', concurrency, records] = process.argv.slice(2);
const warmUp = Number(records) / 2;
const timed = Number(records);

/** Gives batches of numbers while it is not paused, with a turn of the event loop between two, as a source does that reads ahead. */
class Numbers {
  given = 0;
  readonly #context: SourceContext<number>;
  #isPaused = true;
  #isGiving = false;

  constructor(context: SourceContext<number>) {
    this.#context = context;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    void this.#give();
  }

  async #give(): Promise<void> {
    if (this.#isGiving) return;
    this.#isGiving = true;
    while (!this.#isPaused && this.given < warmUp + timed) {
      const batch = Array.from({ length: batchSize }, (_, i) => this.given + i);
      this.given += batchSize;
      this.#context.batch(batch);
      if (this.given % barrierEvery === 0) this.#context.checkpoint();
      await yieldToEventLoop();
    }
    this.#isGiving = false;
  }
}

const { promise: done, resolve: finish } = Promise.withResolvers<{ wallMs: number; cpuMs: number }>();
let startedAt = 0;
let usedBefore = process.threadCpuUsage();
let seen = 0;
let sum = 0;
function count(n: number): number {
  seen++;
  sum += n;
  if (seen === warmUp) {
    startedAt = performance.now();
    usedBefore = process.threadCpuUsage();
  } else if (seen === warmUp + timed) {
    const used = process.threadCpuUsage(usedBefore);
    finish({ wallMs: performance.now() - startedAt, cpuMs: (used.user + used.system) / 1_000 });
  }
  return n;
}

const call = async (n: number): Promise<number> => n + 1;
const running = start(
  job('async', () => {
    const numbers = from<number>({
      kind: 'bench',
      name: 'bench',
      bounded: false,
      open(_position, context) {
        const reader = new Numbers(context);
        return {
          start: () => reader.resume(),
          position: () => reader.given,
          pause: () => reader.pause(),
          resume: () => reader.resume(),
          close: () => reader.pause(),
        };
      },
    });
    if (name === 'plain')
      return numbers.pipe(
        map(n => n + 1),
        map(count),
      );
    const options = { ordered: name === 'ordered', concurrency: Number(concurrency) };
    return numbers.pipe(mapAsync('call', call, options), map(count));
  }),
  { store: memoryStore(), checkpoint: { interval: 'off' }, logger: quiet },
);
const { wallMs, cpuMs } = await done;
await running.cancel();
const all = warmUp + timed;
if (sum !== (all * (all + 1)) / 2) throw new Error(`${all} records added up to ${sum}`);
const result: VariantResult = {
  recordsPerSecond: (timed / wallMs) * 1_000,
  recordsPerCpuSecond: (timed / cpuMs) * 1_000,
};
console.log(JSON.stringify(result));
