import { setPriority } from 'node:os';

/** Nice value: its share of a busy processor is about a tenth of what the thread of the records gets. */
const background = 10;

/**
 * Lets the calling thread give way to the other threads of the process, where the system can tell threads apart: on Linux the
 * priority that setpriority(2) sets is the calling thread's own. Elsewhere it would be that of the process: nothing is done.
 */
export function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, background);
  } catch {
    // A sandbox may forbid it; the work is the same.
  }
}
