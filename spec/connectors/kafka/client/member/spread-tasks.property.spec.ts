import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { spreadTasks } from '../../../../../connectors/kafka/client/member/spread-tasks.ts';
import type { Assignment, Candidate } from '../../../../../connectors/kafka/client/member-port.ts';

const candidate = (name: number, claim: Partial<Candidate['claim']> = {}): Candidate => ({
  memberId: `member-${name}`,
  instanceId: undefined,
  claim: { generation: -1, running: [], ending: [], isLeaving: false, ...claim },
});

/** Claims that contradict each other, name what does not exist, or the same twice. */
const anyClaims = fc
  .record({
    count: fc.integer({ min: 1, max: 24 }),
    claims: fc.array(
      fc.record({
        generation: fc.integer({ min: -1, max: 4 }),
        running: fc.array(fc.nat(26), { maxLength: 12 }),
        ending: fc.array(fc.nat(26), { maxLength: 4 }),
        isLeaving: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
  })
  .map(({ count, claims }) => ({ count, members: claims.map((claim, i) => candidate(i, claim)) }));

/** What a group in order may look like: each task is claimed by one member at most. */
const orderly = (most: { readonly tasks: number; readonly members: number }) =>
  fc
    .record({
      owners: fc.array(fc.integer({ min: -1, max: most.members - 1 }), { minLength: 1, maxLength: most.tasks }),
      members: fc.integer({ min: 1, max: most.members }),
    })
    .map(({ owners, members }) => ({
      count: owners.length,
      members: Array.from({ length: members }, (_, i) =>
        candidate(i, { generation: 3, running: owners.flatMap((owner, task) => (owner === i ? [task] : [])) }),
      ),
    }));

const plain = (parts: ReadonlyMap<string, Assignment>) => Object.fromEntries(parts);

it('gives no task to two, whatever is claimed, and none that its owner has not given back to another', () => {
  fc.assert(
    fc.property(anyClaims, ({ count, members }) => {
      const parts = spreadTasks(members, count);
      expect([...parts.keys()].sort()).toEqual(members.map(({ memberId }) => memberId).sort());
      const given = [...parts].flatMap(([memberId, { tasks }]) => tasks.map(task => ({ memberId, task })));
      expect(new Set(given.map(({ task }) => task)).size).toBe(given.length);
      for (const { memberId, task } of given) {
        expect(task).toBeLessThan(count);
        const claims = members.filter(
          ({ claim }) => claim.generation >= 0 && [...claim.running, ...claim.ending].includes(task),
        );
        const latest = Math.max(...claims.map(({ claim }) => claim.generation));
        const valid = claims.filter(({ claim }) => claim.generation === latest);
        if (valid.length > 0) expect(valid.map(({ memberId }) => memberId)).toContain(memberId);
        const own = members.find(member => member.memberId === memberId)?.claim;
        expect([own?.isLeaving, valid.length > 0 && own?.ending.includes(task)]).toEqual([false, false]);
      }
    }),
    { numRuns: 800 },
  );
});

it('says to whom something is taken, and whether something is nobody’s', () => {
  fc.assert(
    fc.property(anyClaims, ({ count, members }) => {
      const parts = spreadTasks(members, count);
      const total = [...parts.values()].reduce((sum, { tasks }) => sum + tasks.length, 0);
      for (const { memberId, claim } of members) {
        const part = parts.get(memberId);
        expect(part?.isPartial).toBe(total < count);
        const isKept = [...claim.running, ...claim.ending].every(task => part?.tasks.includes(task));
        expect(part?.comesAgain).toBe(!isKept);
      }
      // Somebody brings the group back for whatever is nobody's yet.
      const comes = members.some(({ memberId, claim }) => claim.isLeaving || parts.get(memberId)?.comesAgain);
      expect(total === count || comes || members.length === 0).toBe(true);
    }),
    { numRuns: 800 },
  );
});

it('is the same for every order of members and claims', () => {
  fc.assert(
    fc.property(
      anyClaims.chain(of =>
        fc.record({ of: fc.constant(of), mixed: fc.shuffledSubarray(of.members, { minLength: of.members.length }) }),
      ),
      ({ of: { count, members }, mixed }) => {
        const reversed = mixed.map(({ claim, ...member }) => ({
          ...member,
          claim: { ...claim, running: [...claim.running].reverse(), ending: [...claim.ending].reverse() },
        }));
        expect(plain(spreadTasks(reversed, count))).toEqual(plain(spreadTasks(members, count)));
      },
    ),
  );
});

/** The most tasks that can stay where they are while loads differ by at most one, found by trying everything. */
function mostKept(owners: readonly (number | undefined)[], members: number): number {
  const share = Math.floor(owners.length / members);
  const loads = new Array<number>(members).fill(0);
  const from = (task: number): number => {
    if (task === owners.length) {
      const isBalanced = loads.every(load => load === share || load === share + 1);
      return isBalanced ? 0 : Number.NEGATIVE_INFINITY;
    }
    let best = Number.NEGATIVE_INFINITY;
    for (let to = 0; to < members; to++) {
      loads[to] = (loads[to] ?? 0) + 1;
      best = Math.max(best, from(task + 1) + (owners[task] === to ? 1 : 0));
      loads[to] = (loads[to] ?? 0) - 1;
    }
    return best;
  };
  return from(0);
}

it('takes away no more than balance needs', () => {
  fc.assert(
    fc.property(orderly({ tasks: 6, members: 4 }), ({ count, members }) => {
      const parts = spreadTasks(members, count);
      const owners = Array.from({ length: count }, (_, task) => {
        const owner = members.findIndex(({ claim }) => claim.running.includes(task));
        return owner < 0 ? undefined : owner;
      });
      const kept = members.flatMap(({ memberId, claim }) =>
        claim.running.filter(task => parts.get(memberId)?.tasks.includes(task)),
      );
      expect(kept).toHaveLength(mostKept(owners, members.length));
    }),
    { numRuns: 300 },
  );
});

/** Everybody gives back what it lost and joins again: claims of the next round. */
const nextRound = (members: readonly Candidate[], parts: ReadonlyMap<string, Assignment>, generation: number) =>
  members
    .filter(({ claim }) => !claim.isLeaving)
    .map(member => ({
      ...member,
      claim: { ...member.claim, generation, running: parts.get(member.memberId)?.tasks ?? [], ending: [] },
    }));

it('is settled after the second round: every task has one owner, loads differ by at most one, and nothing moves any more', () => {
  fc.assert(
    fc.property(anyClaims, ({ count, members }) => {
      const first = spreadTasks(members, count);
      const staying = nextRound(members, first, 5);
      fc.pre(staying.length > 0);
      const second = spreadTasks(staying, count);
      for (const { memberId, claim } of staying) {
        expect(second.get(memberId)?.tasks).toEqual(expect.arrayContaining([...claim.running]));
      }
      const tasks = [...second.values()].flatMap(part => part.tasks).sort((a, b) => a - b);
      expect(tasks).toEqual(Array.from({ length: count }, (_, task) => task));
      const loads = [...second.values()].map(part => part.tasks.length);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      expect([...second.values()].some(({ comesAgain, isPartial }) => comesAgain || isPartial)).toBe(false);
      expect(plain(spreadTasks(nextRound(staying, second, 6), count))).toEqual(plain(second));
    }),
    { numRuns: 1_000 },
  );
});

it('stays so over random joins and leaves: who stays loses only what balance needs, and all that was free is given away at once', () => {
  const changes = fc.array(fc.record({ joins: fc.nat(3), leaves: fc.array(fc.nat(30), { maxLength: 3 }) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), changes, (count, list) => {
      let members = [candidate(0)];
      let made = 1;
      let generation = 0;
      for (const { joins, leaves } of list) {
        const gone = new Set(leaves.map(which => members[which % members.length]?.memberId));
        members = members.filter(({ memberId }) => !gone.has(memberId));
        for (let i = 0; i < joins || members.length === 0; i++) members.push(candidate(made++));
        let parts = spreadTasks(members, count);
        const share = Math.ceil(count / members.length);
        const surplus = members.reduce((sum, { claim }) => sum + Math.max(claim.running.length - share, 0), 0);
        const free = count - [...parts.values()].reduce((sum, { tasks }) => sum + tasks.length, 0);
        expect(free).toBeLessThanOrEqual(surplus + members.length);
        for (let round = 0; round < 2; round++) {
          members = nextRound(members, parts, ++generation);
          parts = spreadTasks(members, count);
        }
        expect([...parts.values()].some(({ isPartial }) => isPartial)).toBe(false);
      }
    }),
  );
});
