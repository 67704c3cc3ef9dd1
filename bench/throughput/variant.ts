// One variant in a process of its own:
// node --conditions=tidemark-dev bench/throughput/variant.ts <name> <timed records> <records before> [beside]
import { filter, map, Observable, Subject, type Subscriber } from 'rxjs';
import { job, memoryStore, start } from 'tidemark';
import { benchSource } from '../harness/bench-source.ts';
import { quiet } from '../harness/quiet.ts';
import { type JobName, jobChains, type PlainName, plainChains, type Sum } from './chains.ts';
import { type Elapsed, feed, type Pace } from './feed.ts';
import type { Payment } from './payments.ts';

export interface VariantResult {
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  readonly sum: number;
}

const [name = '', timed, warmUp, beside] = process.argv.slice(2);
const pace = { timed: Number(timed), warmUp: Number(warmUp) };
const sum: Sum = new Float64Array(1);
if (beside) runAnotherChain();
const elapsed = name in plainChains ? await runPlain(name as PlainName, pace) : await runJob(name as JobName, pace);
const result: VariantResult = {
  recordsPerSecond: (pace.timed / elapsed.wallMs) * 1_000,
  recordsPerCpuSecond: (pace.timed / elapsed.cpuMs) * 1_000,
  sum: sum[0] as number,
};
console.log(JSON.stringify(result));

/** As in most applications: with one filter in the whole process V8 compiles a chain of RxJS into one function. */
function runAnotherChain(): void {
  const numbers = new Subject<number>();
  numbers
    .pipe(
      map(n => n * 2),
      filter(n => n % 3 > 0),
      map(n => `${n}`),
      filter(text => text.length > 2),
    )
    .subscribe();
  for (let n = 0; n < 300_000; n++) numbers.next(n);
}

/** Fed through a bare Subscriber: the fastest way into a chain of RxJS. */
function runPlain(name: PlainName, pace: Pace): Promise<Elapsed> {
  let head: Subscriber<Payment> | undefined;
  const input = new Observable<Payment>(subscriber => {
    head = subscriber;
  });
  plainChains[name](sum)(input).subscribe();
  const fed = head as Subscriber<Payment>;
  return feed(
    {
      batch(payments) {
        for (let i = 0; i < payments.length; i++) fed.next(payments[i] as Payment);
      },
      barrier() {},
    },
    pace,
  );
}

async function runJob(name: JobName, pace: Pace): Promise<Elapsed> {
  const { stream, opened } = benchSource<Payment>();
  const running = start(
    job('throughput', () => jobChains[name](sum)(stream())),
    { store: memoryStore(), checkpoint: { interval: 'off' }, logger: quiet },
  );
  let committed = 0;
  running.checkpoints$.subscribe(({ outcome }) => {
    if (outcome === 'committed') committed++;
  });
  const source = await opened;
  let barriers = 0;
  const elapsed = await feed(
    {
      batch: payments => source.batch(payments),
      barrier() {
        running.checkpoint();
        barriers++;
      },
    },
    pace,
  );
  if (committed !== barriers) throw new Error(`${committed} of ${barriers} checkpoints were committed`);
  await running.cancel();
  return elapsed;
}
