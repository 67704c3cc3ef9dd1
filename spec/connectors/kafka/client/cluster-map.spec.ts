import { expect, it } from 'vitest';
import { ClusterMap } from '../../../../connectors/kafka/client/kafkajs/cluster-map.ts';

const brokers = [
  { id: 1, host: 'a', port: 1 },
  { id: 2, host: 'b', port: 2 },
];
const topic = (leaders: readonly number[], error = 'NONE') => ({
  error,
  topic: 't',
  isInternal: false,
  partitions: leaders.map((leader, partition) => ({ topic: 't', partition, leader, leaderEpoch: 0 })),
});
const learned = (...topics: ReturnType<typeof topic>[]) => {
  const map = new ClusterMap();
  map.learn({ brokers, clusterId: 'c', controllerId: 2, topics });
  return map;
};
const [first, second] = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
];

it('knows who leads what, but nobody where there is no leader', () => {
  const map = learned(topic([1, -1]));
  expect([map.leader(first), map.leader(second), map.leader({ topic: 'u', partition: 0 })]).toEqual([
    1,
    undefined,
    undefined,
  ]);
  expect([map.clusterId, map.controllerId]).toEqual(['c', 2]);
});

it('forgets one leader and learns the next', () => {
  const map = learned(topic([1, 1]));
  map.forgetLeader(first);
  expect([map.leader(first), map.leader(second)]).toEqual([undefined, 1]);
  map.learn({ brokers, clusterId: 'c', controllerId: 1, topics: [topic([2, 1])] });
  expect(map.leader(first)).toBe(2);
});

it('forgets the leaders of a topic that is gone, and brokers that left', () => {
  const map = learned(topic([1]));
  map.learn({
    brokers: brokers.slice(1),
    clusterId: null,
    controllerId: 2,
    topics: [topic([], 'UNKNOWN_TOPIC_OR_PARTITION')],
  });
  expect(map.leader(first)).toBeUndefined();
  expect([...map.brokers.keys()]).toEqual([2]);
  expect(map.clusterId).toBe('c');
});

it('keeps its brokers when one that is only just starting names none', () => {
  const map = learned();
  map.learn({ brokers: [], clusterId: null, controllerId: -1, topics: [] });
  expect(map.brokers.size).toBe(2);
});

it('tells the coordinators of groups and transactions apart', () => {
  const map = learned();
  map.learnCoordinator('group', 'k', { id: 3, host: 'c', port: 3 });
  expect([map.coordinator('group', 'k'), map.coordinator('transaction', 'k')]).toEqual([3, undefined]);
  expect(map.brokers.get(3)).toMatchObject({ host: 'c' });
  map.forgetCoordinator('group', 'k');
  expect(map.coordinator('group', 'k')).toBeUndefined();
});
