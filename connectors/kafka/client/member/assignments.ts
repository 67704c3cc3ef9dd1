import type { JoinedMember, SyncGroupRequest } from '../member-port.ts';
import { spreadTasks } from './spread-tasks.ts';
import { decodeSubscription, encodeAssignment } from './subscription.ts';

export type Assignments = SyncGroupRequest['assignments'];

/** What the leader of a group sends: a part for every member. */
export function assignmentsOf(members: readonly JoinedMember[], topics: readonly string[], tasks: number): Assignments {
  const candidates = members.map(({ memberId, instanceId, metadata }) => ({
    ...{ memberId, instanceId },
    claim: decodeSubscription(metadata),
  }));
  return [...spreadTasks(candidates, tasks)].map(([memberId, part]) => ({
    ...{ memberId },
    assignment: encodeAssignment(part, topics),
  }));
}
