/** Time as a member sees it, and what is to happen at one. */
export interface MemberClock {
  /** In ms, from any beginning; never goes back. */
  now(): number;
  /** Calls `work` at that time or later, until it is cancelled. */
  at(time: number, work: () => void): () => void;
}

/** A step of the wall clock of so many ms is time that has passed. */
const leastJumpMs = 500;

/**
 * The process's own clock, and what it misses: it stands still while a machine or a virtual machine sleeps, and the wall
 * clock is ahead when it wakes. Somebody who sets the wall clock ahead costs a membership, which is the safe side.
 */
export function machineClock(monotonic = () => performance.now(), wall = () => Date.now()): MemberClock {
  let missed = 0;
  let ahead = wall() - monotonic();
  const now = () => {
    const time = monotonic();
    const aheadNow = wall() - time;
    if (aheadNow - ahead >= leastJumpMs) missed += aheadNow - ahead;
    ahead = aheadNow;
    return time + missed;
  };
  return {
    now,
    at(time, work) {
      const timer = setTimeout(work, Math.max(Math.ceil(time - now()), 1));
      return () => clearTimeout(timer);
    },
  };
}
