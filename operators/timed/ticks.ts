/** The first multiple of `period` that is at `at` or behind it; a record at a tick still belongs to that. */
export function firstTick(at: number, period: number): number {
  return Math.ceil(at / period) * period;
}

/** The first multiple of `period` behind `at`. */
export function nextTick(at: number, period: number): number {
  return (Math.floor(at / period) + 1) * period;
}
