export interface Gap {
  /** By the clock. */
  readonly wallMs: number;
  /** Processor time of the thread: what other processes on the machine do not prolong. */
  readonly cpuMs: number;
}

/** The longest time in which no record was handled, from above: a batch counts as a gap of its own length. */
export class GapMeter {
  private wallMs = 0;
  private cpuMs = 0;
  private lastWall = 0;
  private lastCpu = 0;

  /** Forgets what was; the next gap begins now. */
  restart(): void {
    this.wallMs = 0;
    this.cpuMs = 0;
    this.lastWall = performance.now();
    this.lastCpu = cpuNow();
  }

  get longest(): Gap {
    return { wallMs: this.wallMs, cpuMs: this.cpuMs };
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
    this.wallMs = Math.max(this.wallMs, wall - this.lastWall);
    this.cpuMs = Math.max(this.cpuMs, cpu - this.lastCpu);
    this.lastWall = wall;
    this.lastCpu = cpu;
  }
}

/** ms of processor time of this thread. */
function cpuNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
