import { describe, expect, it } from 'vitest';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import { planStart, type StartPosition, withGroupOffsets } from '../../../../connectors/kafka/source/start-position.ts';

const partitions = [
  { topic: 'payments', partition: 0 },
  { topic: 'payments', partition: 1 },
  { topic: 'refunds', partition: 0 },
];
const offsets = (entries: readonly [string, number, number][]) => {
  const map = new PartitionMap<number>();
  for (const [topic, partition, offset] of entries) map.set({ topic, partition }, offset);
  return map;
};
const none = offsets([]);

/** Where each partition begins, in a word, when the group has committed these offsets. */
function begins(
  start: StartPosition,
  {
    restored,
    committed = none,
    otherwise = 'earliest' as const,
  }: {
    restored?: PartitionMap<number>;
    committed?: PartitionMap<number>;
    otherwise?: 'earliest' | 'latest';
  } = {},
): string[] {
  const { planned } = withGroupOffsets(planStart(partitions, restored, start), committed, otherwise);
  return planned.map(({ beginning, by }) => {
    const at =
      beginning.at === 'offset'
        ? beginning.offset
        : beginning.at === 'timestamp'
          ? `@${beginning.timestamp}`
          : beginning.at;
    return `${at} by ${by}`;
  });
}

describe('the plan of a start', () => {
  it('is the start setting for every partition', () => {
    expect(begins('earliest')).toEqual(Array(3).fill('earliest by start setting'));
    expect(begins('latest')).toEqual(Array(3).fill('latest by start setting'));
    expect(begins({ timestamp: 500 })).toEqual(Array(3).fill('@500 by start setting'));
    expect(begins({ timestamp: new Date(500) })).toEqual(Array(3).fill('@500 by start setting'));
  });

  it('is the offset that the group has committed, and the fallback where it has none', () => {
    const committed = offsets([
      ['payments', 1, 42],
      ['refunds', 0, 0],
    ]);
    expect(begins('group-offsets', { committed })).toEqual([
      'earliest by missing group offset',
      '42 by group offset',
      '0 by group offset',
    ]);
    expect(begins('group-offsets', { committed, otherwise: 'latest' })[0]).toBe('latest by missing group offset');
  });

  it('names every partition that may not begin without a group offset', () => {
    const committed = offsets([['payments', 1, 42]]);
    const { missing } = withGroupOffsets(planStart(partitions, undefined, 'group-offsets'), committed, 'fail');
    expect(missing).toEqual([partitions[0], partitions[2]]);
  });

  it('falls back to the group offset for a partition that specific offsets do not name', () => {
    const committed = offsets([['refunds', 0, 7]]);
    expect(begins({ offsets: { payments: { 0: 0, 1: 9 } } }, { committed })).toEqual([
      '0 by start setting',
      '9 by start setting',
      '7 by group offset',
    ]);
    expect(begins({ offsets: { payments: { 1: 9 } } }, { committed: none })[0]).toBe(
      'earliest by missing group offset',
    );
  });

  it('is the restored checkpoint whatever the start setting says, and the beginning for what it does not know', () => {
    const restored = offsets([
      ['payments', 0, 5],
      ['refunds', 0, 0],
    ]);
    const committed = offsets([
      ['payments', 0, 99],
      ['payments', 1, 99],
    ]);
    const expected = ['5 by checkpoint', 'earliest by discovery', '0 by checkpoint'];
    for (const start of [
      'latest',
      'group-offsets',
      { timestamp: 1 },
      { offsets: { payments: { 0: 3, 1: 3 } } },
    ] as const) {
      expect(begins(start, { restored, committed })).toEqual(expected);
    }
  });

  it('does not take what every object has for a topic', () => {
    const { planned } = withGroupOffsets(
      planStart([{ topic: 'constructor', partition: 0 }], undefined, { offsets: {} }),
      none,
      'latest',
    );
    expect(planned[0]?.beginning).toEqual({ at: 'latest' });
  });
});
