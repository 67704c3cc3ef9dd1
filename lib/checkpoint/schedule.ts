/** The settings that decide when; milliseconds. */
export interface ScheduleSettings {
  readonly interval: number | 'off';
  readonly minPause: number;
  readonly atLeastEvery: number;
}

/** What has happened so far, on the monotonic clock. */
export interface CheckpointTimes {
  /** When this incarnation began to run. */
  readonly runningSince: number;
  /** When the last checkpoint was started, whatever became of it. */
  readonly lastStart?: number | undefined;
  /** When it was committed, abandoned or skipped; `undefined` while it is under way. */
  readonly lastEnd?: number | undefined;
}

/**
 * When the next periodic checkpoint may start; in the past when it is overdue. `undefined`: not by the clock, because the
 * interval is off or one is under way. After a checkpoint that took longer than the interval there is one at once (but
 * for the pause), never a burst that makes up for those that fell out.
 */
export function nextCheckpointAt(
  { interval, minPause }: ScheduleSettings,
  { runningSince, lastStart, lastEnd }: CheckpointTimes,
): number | undefined {
  if (interval === 'off') return undefined;
  if (lastStart === undefined) return runningSince + interval;
  return lastEnd === undefined ? undefined : Math.max(lastStart + interval, lastEnd + minPause);
}

/**
 * Whether a checkpoint for which nothing has changed may be left out: not when the next chance comes later than
 * `atLeastEvery` after the last commit, nor while nothing was ever committed.
 *
 * @param committedAt when the last checkpoint was committed, on the clock of `now`
 */
export function maySkip(settings: ScheduleSettings, committedAt: number | undefined, now: number): boolean {
  if (committedAt === undefined) return false;
  const { interval, minPause, atLeastEvery } = settings;
  const nextChance = now + (interval === 'off' ? 0 : Math.max(interval, minPause));
  return nextChance - committedAt <= atLeastEvery;
}
