const firstMs = 100;
const longestMs = 2_000;

/** How long to wait after this many failures in a row: from 100 ms to 2 s, doubled each time, at most halved by chance. */
export function retryPauseMs(failures: number, random: () => number = Math.random): number {
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 30), longestMs) * (1 - random() / 2);
}
