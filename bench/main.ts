import { async } from './async/async.ts';
import { barrier } from './barrier/barrier.ts';
import { type Findings, recorded } from './harness/result.ts';
import { heap } from './heap/heap.ts';
import { kafka } from './kafka/kafka.ts';
import { nexmark } from './nexmark/nexmark.ts';
import { restore } from './restore/restore.ts';
import { scaling } from './scaling/scaling.ts';
import { throughput } from './throughput/throughput.ts';
import { timers } from './timers/timers.ts';
import { windows } from './windows/windows.ts';
import { workers } from './workers/workers.ts';

const benchmarks: Readonly<Record<string, () => Promise<Findings>>> = {
  throughput,
  barrier,
  restore,
  timers,
  windows,
  heap,
  async,
  kafka,
  nexmark,
  scaling,
  workers,
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter(name => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(', ')}: there are ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(2);
}
let missed = 0;
for (const [name, measure] of Object.entries(benchmarks)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const { title, targets } = await recorded(name, measure);
  console.log(title);
  for (const { claim, measured, isMet } of targets) {
    console.log(`  ${isMet ? 'met   ' : 'MISSED'}  ${claim}: ${measured}`);
    if (!isMet) missed++;
  }
}
process.exitCode = missed > 0 ? 1 : 0;
