/** Keys that records are spread over. */
export const keys = 10_000;
export const partitions = 4;

/** The n-th record: its value is a JSON text of `bytes` bytes. */
export function record(n: number, bytes: number): { readonly key: string; readonly value: string } {
  const key = `key-${(n * 7_919) % keys}`;
  const head = `{"key":"${key}","n":${n},"rest":"`;
  return { key, value: `${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}` };
}

/** What is in a value. */
export interface Parsed {
  readonly key: string;
  readonly n: number;
  readonly rest: string;
}

export interface Rate {
  readonly records: number;
  readonly recordsPerSecond: number;
  /** Of this process, its threads included. */
  readonly recordsPerCpuSecond: number;
}

/** Measures from its making to `rate`. */
export class Stopwatch {
  readonly #startedAt = performance.now();
  readonly #used = process.cpuUsage();

  rate(records: number): Rate {
    const { user, system } = process.cpuUsage(this.#used);
    return {
      records,
      recordsPerSecond: (records / (performance.now() - this.#startedAt)) * 1_000,
      recordsPerCpuSecond: (records / (user + system)) * 1_000_000,
    };
  }
}
