import type { Assignor, Candidate } from '../member-port.ts';
import type { TopicPartition } from '../port.ts';

/**
 * One member gets every partition and the others stand by: for a job that runs as a single task. The owner stays the owner as
 * long as it is there and knows of all topics. While a job is replaced by a version with other topics, a member with all of
 * them comes first; where nobody knows all, what the owner does not know is read by nobody.
 */
export const oneMemberHasAll: Assignor = {
  name: 'tidemark-one-member-has-all',
  assign(members, partitions) {
    const owner = ownerOf(members);
    const assigned = new Map<string, readonly TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
    if (owner === undefined) return assigned;
    const topics = new Set(owner.topics);
    return assigned.set(
      owner.memberId,
      partitions.filter(({ topic }) => topics.has(topic)),
    );
  },
};

function ownerOf(members: readonly Candidate[]): Candidate | undefined {
  const topics = new Set(members.flatMap(member => member.topics));
  const knowsAll = members.filter(member => new Set(member.topics).size === topics.size);
  return [...(knowsAll.length > 0 ? knowsAll : members)].sort(byRight)[0];
}

/** Who held something last comes first. Of two that say so, it is the one of the later generation: the other missed its loss. */
function byRight(a: Candidate, b: Candidate): number {
  const byClaim = heldIn(b) - heldIn(a);
  return byClaim !== 0 ? byClaim : byName(a, b);
}

const heldIn = ({ claim }: Candidate): number => (claim && claim.partitions.length > 0 ? claim.generation : -1);

/** Member ids change whenever a process starts; instance ids do not. */
function byName(a: Candidate, b: Candidate): number {
  const [nameA, nameB] = [a, b].map(({ instanceId, memberId }) => `${instanceId ?? ''}\0${memberId}`) as [
    string,
    string,
  ];
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}
