import type { Assignment, Candidate } from '../member-port.ts';

/** A member while its part is worked out. */
interface Part {
  readonly memberId: string;
  readonly isLeaving: boolean;
  readonly claimed: readonly number[];
  readonly running: readonly number[];
  readonly tasks: number[];
  most: number;
}

/**
 * Spreads the tasks 0 … `count` - 1 over members, sticky and cooperative: what a member has and keeps goes on undisturbed; what is
 * to move is nobody's until its owner has given it back and joined again; everything else is given away at once. Loads come to
 * differ by at most one with the least number of moves. Of two claims to a task that of the later generation counts. Pure, and the
 * same for every order of `members`.
 */
export function spreadTasks(members: readonly Candidate[], count: number): ReadonlyMap<string, Assignment> {
  const sorted = [...members].sort(byName);
  const owners = ownersOf(sorted, count);
  const parts = sorted.map(({ memberId, claim }): Part => {
    const owned = (tasks: readonly number[]) => [...new Set(tasks)].filter(task => owners[task] === memberId);
    const ending = owned(claim.ending);
    const running = owned(claim.running).filter(task => !ending.includes(task));
    const claimed = [...claim.running, ...claim.ending];
    const { isLeaving } = claim;
    return { memberId, isLeaving, claimed, running: running.sort(byNumber), tasks: [], most: 0 };
  });
  const takers = parts.filter(({ isLeaving }) => !isLeaving);
  setShares(takers, count);
  for (const part of parts) part.tasks.push(...part.running.slice(0, part.most));
  for (let task = 0; task < count; task++) {
    if (owners[task] === undefined) leastLoaded(takers)?.tasks.push(task);
  }
  const isPartial = parts.reduce((sum, { tasks }) => sum + tasks.length, 0) < count;
  return new Map(
    parts.map(({ memberId, tasks, claimed }) => {
      const comesAgain = claimed.some(task => !tasks.includes(task));
      return [memberId, { tasks: tasks.sort(byNumber), comesAgain, isPartial }];
    }),
  );
}

/** Who has each task, running or about to end; `undefined` where nobody has. */
function ownersOf(sorted: readonly Candidate[], count: number): readonly (string | undefined)[] {
  const owners = new Array<string | undefined>(count).fill(undefined);
  const generations = new Array<number>(count).fill(-1);
  for (const { memberId, claim } of sorted) {
    for (const task of [...claim.running, ...claim.ending]) {
      if (claim.generation <= (generations[task] ?? Number.POSITIVE_INFINITY)) continue;
      owners[task] = memberId;
      generations[task] = claim.generation;
    }
  }
  return owners;
}

/** Everybody gets an equal share; what is left over stays first with those that have it already. */
function setShares(takers: readonly Part[], count: number): void {
  const share = Math.floor(count / takers.length);
  let over = count % takers.length;
  for (const part of takers) part.most = share;
  const withMore = takers.filter(({ running }) => running.length > share);
  for (const part of [...withMore, ...takers.filter(({ running }) => running.length <= share)]) {
    if (over-- > 0) part.most++;
  }
}

/** Of those with room for one more; of several the first. */
function leastLoaded(takers: readonly Part[]): Part | undefined {
  let found: Part | undefined;
  for (const part of takers) {
    if (part.tasks.length < part.most && (found === undefined || part.tasks.length < found.tasks.length)) found = part;
  }
  return found;
}

/** Member ids change whenever a process starts; instance ids do not. */
function byName(a: Candidate, b: Candidate): number {
  const nameOf = ({ instanceId, memberId }: Candidate) => `${instanceId ?? ''}\0${memberId}`;
  const [nameA, nameB] = [nameOf(a), nameOf(b)];
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

const byNumber = (a: number, b: number): number => a - b;
