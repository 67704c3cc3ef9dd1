import type { RestartSettings } from './settings.ts';

/** What becomes of a failure: a restart after a delay, or the end of the job for a reason that is shown. */
export type RestartDecision = { readonly restartInMs: number } | { readonly giveUp: string };

/** Decides on the failures of one job, in the order in which they happen. */
export interface RestartStrategy {
  /** `failureAtMs` is on the monotonic clock and never lower than the last one. */
  next(failureAtMs: number): RestartDecision;
}

/** The strategy that the settings name; `random` gives numbers from 0 up to 1 for the jitter. */
export function restartStrategy(settings: RestartSettings, random: () => number = Math.random): RestartStrategy {
  switch (settings.strategy) {
    case 'none':
      return { next: () => ({ giveUp: 'the restart strategy is "none"' }) };
    case 'fixed-delay':
      return fixedDelay(settings);
    case 'exponential':
      return exponential(settings, random);
    case 'failure-rate':
      return failureRate(settings);
  }
}

/** Whether a restart may help: not when the error says of itself that it is not retriable. */
export function shouldRestart(error: unknown): boolean {
  return (error as { retriable?: unknown } | null | undefined)?.retriable !== false;
}

type Settings<S extends RestartSettings['strategy']> = Extract<RestartSettings, { strategy: S }>;

function fixedDelay({ attempts, delay }: Settings<'fixed-delay'>): RestartStrategy {
  let failures = 0;
  return {
    next() {
      failures++;
      return failures > attempts
        ? { giveUp: `${times(attempts)} restarted, as often as allowed` }
        : { restartInMs: delay };
    },
  };
}

/** As in Flink, the time without a failure begins when the restart does, not at the failure before it. */
function exponential(settings: Settings<'exponential'>, random: () => number): RestartStrategy {
  const { initialDelay, maxDelay, multiplier, jitter, resetAfter, attempts } = settings;
  let nominal = initialDelay;
  let failures = 0;
  let runningSince = Number.POSITIVE_INFINITY;
  return {
    next(failureAtMs) {
      if (failureAtMs - runningSince >= resetAfter) {
        nominal = initialDelay;
        failures = 0;
      }
      failures++;
      if (attempts !== undefined && failures > attempts) {
        return { giveUp: `${times(attempts)} restarted without running for ${resetAfter} ms in between` };
      }
      const restartInMs = Math.min(maxDelay, nominal * (1 + jitter * (2 * random() - 1)));
      nominal = Math.min(maxDelay, nominal * multiplier);
      runningSince = failureAtMs + restartInMs;
      return { restartInMs };
    },
  };
}

function failureRate({ maxFailures, per, delay }: Settings<'failure-rate'>): RestartStrategy {
  let failures: number[] = [];
  return {
    next(failureAtMs) {
      failures = [...failures.filter(at => failureAtMs - at <= per), failureAtMs];
      return failures.length > maxFailures
        ? { giveUp: `${failures.length} failures within ${per} ms, more than the ${maxFailures} allowed` }
        : { restartInMs: delay };
    },
  };
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
