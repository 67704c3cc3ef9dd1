/** What listens for signals: `process`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

const stopSignals = ['SIGINT', 'SIGTERM'] as const;
const numbers: Record<string, number> = { SIGINT: 2, SIGTERM: 15 };

/**
 * The first SIGINT or SIGTERM asks for a stop, the second for an end at once, with 128 + its number as exit code.
 * Returns what gives the signals back to Node.
 */
export function stopOnSignals(
  source: SignalSource,
  on: { readonly first: (signal: NodeJS.Signals) => void; readonly second: (exitCode: number) => void },
): () => void {
  let seen = 0;
  const listener = (signal: NodeJS.Signals): void => {
    seen++;
    if (seen === 1) on.first(signal);
    else if (seen === 2) on.second(128 + (numbers[signal] ?? 0));
  };
  for (const signal of stopSignals) source.on(signal, listener);
  return () => {
    for (const signal of stopSignals) source.off(signal, listener);
  };
}
