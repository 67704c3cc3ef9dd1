import { randomOf } from '../../spec/connectors/kafka/client/member/group/random.ts';
import { SimulatedGroup } from '../../spec/connectors/kafka/client/member/group/simulated-group.ts';

/** What a change of the processes of a job costs. */
export interface MoveResult {
  readonly tasks: number;
  readonly members: number;
  readonly change: string;
  /** Tasks that ran here before and there after. */
  readonly moved: number;
  /** The fewest that bring balance. */
  readonly least: number;
  /** Generations of the group. */
  readonly rounds: number;
  /** Until every task runs and the loads are balanced. */
  readonly settledMs: number;
  /** Of one task, from its end to its start elsewhere; and the middle one. */
  readonly longestStandstillMs: number;
  readonly medianStandstillMs: number;
  /** That the coordinator had to answer. */
  readonly requests: number;
  /** What the group wrote into its log. */
  readonly writtenBytes: number;
}

interface Change {
  readonly name: string;
  readonly gone: number;
  readonly least: (tasks: number, members: number) => number;
  readonly make: (group: SimulatedGroup) => void;
}

const joins = (count: number): Change => ({
  name: `${count} more`,
  gone: 0,
  least: (tasks, members) => surplus(tasks, members, members + count),
  make: group => {
    for (let i = 0; i < count; i++) group.join();
  },
});

/** What those with a part of `before` have too much when there are `after`. */
function surplus(tasks: number, before: number, after: number): number {
  const loadOf = (count: number, which: number) => Math.floor(tasks / count) + (which < tasks % count ? 1 : 0);
  let sum = 0;
  for (let i = 0; i < before; i++) sum += Math.max(loadOf(before, i) - loadOf(after, i), 0);
  return sum;
}

const share = (tasks: number, members: number, gone: number) => Math.round((tasks * gone) / members);

const changes: readonly Change[] = [
  joins(1),
  { name: '1 ends in order', gone: 1, least: (t, m) => share(t, m, 1), make: group => group.living[3]?.close() },
  { name: '1 dies', gone: 1, least: (t, m) => share(t, m, 1), make: group => group.living[5]?.die() },
  joins(10),
  {
    name: '10 end in order, at once',
    gone: 10,
    least: (t, m) => share(t, m, 10),
    make: group => {
      for (const member of group.living.slice(0, 10)) member.close();
    },
  },
  {
    name: '10 die at once',
    gone: 10,
    least: (t, m) => share(t, m, 10),
    make: group => {
      for (const member of group.living.slice(0, 10)) member.die();
    },
  },
];

/** Starts a job of that size, then each of the changes, one after the other; the size is restored between them. */
export function moves(tasks: number, members: number, seed: number): readonly MoveResult[] {
  const group = new SimulatedGroup({ tasks, random: randomOf(seed), mostEndMs: 2_000 });
  const results: MoveResult[] = [];
  const measure = (change: string, least: number, make: () => void) => {
    const before = ownersOf(group);
    const { rounds, requests, writtenBytes } = group.coordinator;
    const [heard, size] = [group.heard.length, group.living.length];
    make();
    const settledMs = group.settle(600_000) ?? Number.NaN;
    const after = ownersOf(group);
    const standstills = standstillsOf(group, heard);
    results.push({
      ...{ tasks, members: size, change, least, settledMs },
      moved: [...before].filter(([task, owner]) => after.get(task) !== owner).length,
      rounds: group.coordinator.rounds - rounds,
      longestStandstillMs: Math.max(0, ...standstills),
      medianStandstillMs: standstills.sort((a, b) => a - b)[standstills.length >> 1] ?? 0,
      requests: group.coordinator.requests - requests,
      writtenBytes: group.coordinator.writtenBytes - writtenBytes,
    });
  };
  measure(`${members} start at once`, 0, () => {
    for (let i = 0; i < members; i++) group.join();
  });
  for (const { name, gone, least, make } of changes) {
    if (gone * 2 > members) continue;
    resize(group, members);
    measure(name, least(tasks, members), () => make(group));
  }
  return results;
}

function resize(group: SimulatedGroup, members: number): void {
  while (group.living.length < members) group.join();
  for (const member of group.living.slice(members)) member.close();
  group.settle(600_000);
  // Nothing of the change before is left, and heartbeats have come apart again.
  group.time.runUntil(group.time.now + 30_000);
}

function ownersOf(group: SimulatedGroup): ReadonlyMap<number, string> {
  return new Map(group.living.flatMap(({ name, running }) => [...running].map(task => [task, name] as const)));
}

function standstillsOf(group: SimulatedGroup, since: number): number[] {
  const endedAt = new Map<number, number>();
  const standstills: number[] = [];
  for (const { at, call } of group.heard.slice(since)) {
    for (const task of call.tasks) {
      const ended = endedAt.get(task);
      if (call.is === 'ended') endedAt.set(task, at);
      else if (call.is === 'assigned' && ended !== undefined) standstills.push(at - ended);
    }
  }
  return standstills;
}

/** Joins, ends and deaths at random; the longest time to a full assignment after one, and how many tasks were moved for how many changes. */
export function unrest(tasks: number, members: number, changesMade: number, seed: number) {
  const random = randomOf(seed);
  const group = new SimulatedGroup({ tasks, random, mostEndMs: 2_000 });
  for (let i = 0; i < members; i++) group.join();
  group.settle(600_000);
  const { rounds } = group.coordinator;
  const heard = group.heard.length;
  for (let i = 0; i < changesMade; i++) {
    group.time.runUntil(group.time.now + random() * 10_000);
    const { living } = group;
    const one = living[Math.floor(random() * living.length)];
    const what = random();
    if (living.length < members / 2 || what < 0.5) group.join();
    else if (what < 0.8) one?.close();
    else one?.die();
  }
  const settledMs = group.settle(600_000) ?? Number.NaN;
  const calls = group.heard.slice(heard);
  return {
    ...{ tasks, members, changes: changesMade, settledMs, rounds: group.coordinator.rounds - rounds },
    moved: calls.reduce((sum, { call }) => sum + (call.is === 'assigned' ? call.tasks.length : 0), 0),
    lost: calls.filter(({ call }) => call.is === 'lost').length,
    membersAfter: group.living.length,
  };
}
