const firstMs = 10;
const longestMs = 500;

/** How long to wait after this many failures in a row: from 10 ms to 0.5 s, doubled each time, at most halved by chance. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs);
  return whole * (1 - random() / 2);
}
