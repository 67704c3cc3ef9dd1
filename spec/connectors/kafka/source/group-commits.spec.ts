import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CommittedOffset, KafkaClient } from '../../../../connectors/kafka/client/port.ts';
import { GroupCommits } from '../../../../connectors/kafka/source/group-commits.ts';
import { PartitionMap } from '../../../../connectors/kafka/source/partitions.ts';
import { quiet } from '../../../job/quiet.ts';

/** A group whose coordinator keeps what it is given. */
function group() {
  const clock = { ms: 0 };
  const committed: number[] = [];
  const offsetCommit = async ({ offsets }: { offsets: readonly CommittedOffset[] }) => {
    committed.push(...offsets.map(({ offset }) => offset));
    return offsets.map(({ topic, partition }) => ({ topic, partition, error: 'NONE' }));
  };
  const client = { coordinator: () => ({ offsetCommit }), forgetCoordinator() {} } as unknown as KafkaClient;
  const commits = new GroupCommits(client, 'payments', quiet, () => clock.ms);
  const commit = async (offset: number) => {
    commits.commit(new PartitionMap<number>().set({ topic: 'payments', partition: 0 }, offset));
    await turn();
  };
  return { clock, committed, commits, commit };
}

describe('commits of a group', () => {
  it('leaves out offsets that were committed before, and commits those that come later', async () => {
    const { committed, commits, commit } = group();
    await commit(5);
    await commit(5);
    await commit(9);
    await commits.settled();
    expect(committed).toEqual([5, 9]);
  });

  it('commits the same offsets again after half a day: Kafka forgets those of a group without members', async () => {
    const { clock, committed, commits, commit } = group();
    await commit(5);
    clock.ms = 11 * 3_600_000;
    await commit(5);
    expect(committed).toEqual([5]);
    clock.ms = 12 * 3_600_000;
    await commit(5);
    await commits.settled();
    expect(committed).toEqual([5, 5]);
  });

  it('commits only the newest of what came while a commit was under way', async () => {
    const { committed, commits } = group();
    for (const offset of [1, 2, 3])
      commits.commit(new PartitionMap<number>().set({ topic: 't', partition: 0 }, offset));
    await commits.settled();
    expect(committed).toEqual([1, 3]);
  });
});
