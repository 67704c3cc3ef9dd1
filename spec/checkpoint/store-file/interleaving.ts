/** One process among several whose steps are put in an order by the spec. */
export interface Stepped {
  readonly isDone: boolean;
  /** Does the next atomic step. */
  step(): Promise<void>;
}

/** Runs `work`, which awaits `turn` before each atomic step, one step at a time. */
export function stepped(work: (turn: () => Promise<void>) => Promise<void>): Stepped {
  const waiting: (() => void)[] = [];
  let isDone = false;
  let failure: { readonly error: unknown } | undefined;
  const turn = () => new Promise<void>(resolve => waiting.push(resolve));
  void work(turn)
    .catch(error => (failure = { error }))
    .finally(() => (isDone = true));
  return {
    get isDone() {
      return isDone;
    },
    async step() {
      waiting.shift()?.();
      // Every promise that follows from the step settles within this turn of the event loop.
      await new Promise(resolve => setImmediate(resolve));
      if (failure) throw failure.error;
    },
  };
}

/** Does the steps in the order of `schedule` (which process, how many steps), then lets all of them finish. */
export async function interleave(
  processes: readonly Stepped[],
  schedule: readonly { readonly who: number; readonly steps: number }[],
): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
  for (const { who, steps } of schedule) {
    const process = processes[who % processes.length];
    for (let i = 0; i < steps && process && !process.isDone; i++) await process.step();
  }
  for (const process of processes) while (!process.isDone) await process.step();
}
