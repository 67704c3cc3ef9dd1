import { expect, it } from 'vitest';
import { spreadTasks } from '../../../../../connectors/kafka/client/member/spread-tasks.ts';
import type { Candidate, Claim } from '../../../../../connectors/kafka/client/member-port.ts';

const member = (memberId: string, claim: Partial<Claim> = {}, instanceId?: string): Candidate => ({
  ...{ memberId, instanceId },
  claim: { generation: -1, running: [], ending: [], isLeaving: false, ...claim },
});
const at = (generation: number, ...running: number[]) => ({ generation, running });

/** `a: 0 1 -> again`, `…` where something is nobody's. */
const shown = (members: readonly Candidate[], count: number) =>
  [...spreadTasks(members, count)].map(
    ([id, { tasks, comesAgain, isPartial }]) =>
      `${id}: ${tasks.join(' ')}${comesAgain ? ' again' : ''}${isPartial ? ' …' : ''}`,
  );

it('gives everything to one, and each a part of it at once where all are new', () => {
  expect(shown([member('a')], 3)).toEqual(['a: 0 1 2']);
  expect(shown([member('b'), member('a')], 5)).toEqual(['a: 0 2 4', 'b: 1 3']);
});

it('takes from the old what the new one is to have, and gives it to nobody before it is given back', () => {
  expect(shown([member('a', at(1, 0, 1, 2, 3)), member('b')], 4)).toEqual(['a: 0 1 again …', 'b:  …']);
  const ending = { generation: 2, running: [0, 1], ending: [2, 3] };
  expect(shown([member('a', ending), member('b', at(2))], 4)).toEqual(['a: 0 1 again …', 'b:  …']);
  expect(shown([member('a', at(2, 0, 1)), member('b', at(2))], 4)).toEqual(['a: 0 1', 'b: 2 3']);
});

it('spreads what was left by one that went at once', () => {
  expect(shown([member('a', at(4, 0, 1)), member('c', at(4, 4, 5))], 6)).toEqual(['a: 0 1 2', 'c: 3 4 5']);
});

it('leaves those without a task standing by, and what runs where it is', () => {
  expect(shown([member('a', at(4, 1)), member('b', at(4, 0)), member('c')], 2)).toEqual(['a: 1', 'b: 0', 'c: ']);
  expect(shown([member('b', at(4, 0)), member('a')], 1)).toEqual(['a: ', 'b: 0']);
});

it('believes the later of two claims, and calls the other one back', () => {
  const members = [member('a', at(7, 0, 1)), member('b', at(9, 1))];
  expect(shown(members, 2)).toEqual(['a: 0 again', 'b: 1']);
});

it('gives one that is about to leave nothing, and what it had to nobody yet', () => {
  const leaving = { generation: 2, running: [], ending: [0, 1], isLeaving: true };
  expect(shown([member('a', leaving), member('b', at(2, 2))], 3)).toEqual(['a:  again …', 'b: 2 …']);
  expect(shown([member('a', leaving)], 2)).toEqual(['a:  again …']);
});

it('goes by the instance ids, which stay the same', () => {
  expect(shown([member('z', {}, 'i-1'), member('a', {}, 'i-2')], 3)).toEqual(['z: 0 2', 'a: 1']);
});
