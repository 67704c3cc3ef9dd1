import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

/** A time in which no record was handled, in ms of `performance.now()`. */
interface Gap {
  readonly start: number;
  readonly end: number;
}

/** The longest gaps of a span of time. */
export interface LongestGap {
  readonly wallMs: number;
  /** Processor time of the thread in the gap that used most: what other processes on the machine do not prolong. */
  readonly cpuMs: number;
  /** The longest of those in which V8 did not collect its whole heap, which it does now and then whatever the job does. */
  readonly wallMsBesidesFullCollections: number;
}

/** Shorter gaps are not looked at one by one. */
const notable = 1;

/** The longest time in which no record was handled, from above: a batch counts as a gap of its own length. */
export class GapMeter {
  private gaps: Gap[] = [];
  private readonly collections: Gap[] = [];
  private cpuMs = 0;
  private lastWall = 0;
  private lastCpu = 0;

  constructor() {
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) this.collected(entry);
    }).observe({ entryTypes: ['gc'] });
  }

  /** Forgets what was; the next gap begins now. */
  restart(): void {
    this.gaps = [];
    this.cpuMs = 0;
    this.lastWall = performance.now();
    this.lastCpu = cpuNow();
  }

  /** What was measured up to now; `longest` evaluates it once the collector's records have come, an event loop's turn later. */
  snapshot(): { longest(): LongestGap } {
    const { cpuMs } = this;
    const gaps = [...this.gaps];
    return {
      longest: () => {
        const isFree = (gap: Gap) => !this.collections.some(({ start, end }) => start < gap.end && end > gap.start);
        return {
          wallMs: longestOf(gaps),
          cpuMs,
          wallMsBesidesFullCollections: longestOf(gaps.filter(isFree)),
        };
      },
    };
  }

  /** Runs `work`, which handles a batch of records. */
  around(work: () => void): void {
    this.look();
    work();
    this.look();
  }

  private look(): void {
    const wall = performance.now();
    const cpu = cpuNow();
    if (wall - this.lastWall > notable) this.gaps.push({ start: this.lastWall, end: wall });
    this.cpuMs = Math.max(this.cpuMs, cpu - this.lastCpu);
    this.lastWall = wall;
    this.lastCpu = cpu;
  }

  private collected({ startTime, duration, detail }: PerformanceEntry & { readonly detail?: unknown }): void {
    const { kind } = detail as { readonly kind: number };
    if (kind !== constants.NODE_PERFORMANCE_GC_MAJOR && kind !== constants.NODE_PERFORMANCE_GC_INCREMENTAL) return;
    this.collections.push({ start: startTime, end: startTime + duration });
  }
}

function longestOf(gaps: readonly Gap[]): number {
  return gaps.reduce((longest, { start, end }) => Math.max(longest, end - start), 0);
}

/** ms of processor time of this thread. */
function cpuNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
