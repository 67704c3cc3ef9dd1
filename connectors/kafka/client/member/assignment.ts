import { InternalError } from '../../../../lib/index.ts';
import type { Assignor, Candidate, JoinedMember } from '../member-port.ts';
import type { TopicMetadata, TopicPartition } from '../port.ts';
import type { Assignments } from './state.ts';
import { decodeSubscription, encodeAssignment } from './subscription.ts';

/** What the leader sends: a part for every member, of all partitions that the topics have now. */
export async function assignmentsOf(
  group: string,
  assignor: Assignor,
  members: readonly JoinedMember[],
  lookUp: (topics: readonly string[]) => Promise<readonly TopicMetadata[]>,
): Promise<Assignments> {
  const candidates = members.map(({ memberId, instanceId, metadata }): Candidate => {
    return { memberId, instanceId, ...decodeSubscription(metadata) };
  });
  const topics = [...new Set(candidates.flatMap(candidate => candidate.topics))].sort();
  const found = [...(await lookUp(topics))].sort((a, b) => (a.topic < b.topic ? -1 : 1));
  const partitions = found.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => ({ topic, partition })),
  );
  const parts = assignor.assign(candidates, partitions);
  checkOwners(group, assignor, parts);
  return members.map(({ memberId }) => ({ memberId, assignment: encodeAssignment(parts.get(memberId) ?? []) }));
}

/** Two owners of a partition are what a group is there to prevent. */
function checkOwners(group: string, { name }: Assignor, parts: ReadonlyMap<string, readonly TopicPartition[]>): void {
  const owned = new Set<string>();
  for (const { topic, partition } of [...parts.values()].flat()) {
    const key = `${topic}/${partition}`;
    if (owned.has(key)) throw new InternalError(`"${name}" assigned ${key} of the group "${group}" twice.`);
    owned.add(key);
  }
}
