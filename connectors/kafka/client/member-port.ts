import type { MaybePromise, TidemarkError } from '../../../lib/index.ts';
import type { ErrorName } from './port.ts';

/** Why a member does not hold its tasks any more, without having given them back. */
export interface Loss {
  /**
   * SESSION_EXPIRED: by our own clock the group may think so, whatever the broker would say. The others are the broker's; FAILED:
   * see `error`.
   */
  readonly why: 'SESSION_EXPIRED' | 'UNKNOWN_MEMBER_ID' | 'ILLEGAL_GENERATION' | 'FENCED_INSTANCE_ID' | 'FAILED';
  /** The member does not join again: another process has its instance id, or `error` does not pass by itself. */
  readonly isFinal: boolean;
  readonly error: TidemarkError | undefined;
}

/** One member of a consumer group; it joins when it is made, and again after each loss that is not final. */
export interface GroupMember {
  /** These tasks of it have ended by themselves: they are not claimed any more, and come back when the group assigns them anew. */
  giveUp(tasks: readonly number[]): void;
  /**
   * Gives back what is held (`revoked`), leaves the group and ends every timer. Idempotent; bounded by the rebalance timeout and
   * a few seconds. Requests under way end with the client. `isForGood`: it leaves also where `leavesOnClose` says that it stays.
   */
  close(isForGood?: boolean): Promise<void>;
}

/** A member as the one that assigns sees it. */
export interface Candidate {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly claim: Claim;
}

/** What a member says of itself when it joins. */
export interface Claim {
  /** Of which it got what it holds; -1 for nothing. */
  readonly generation: number;
  /** They go on while the group assigns. */
  readonly running: readonly number[];
  /** Being given back; until it joins again, they are still there. */
  readonly ending: readonly number[];
  /** It is about to leave, and wants nothing. */
  readonly isLeaving: boolean;
}

/** What a member is to hold from now on. */
export interface Assignment {
  readonly tasks: readonly number[];
  /** Something that it claimed is to go to others: it joins again when that is given back. */
  readonly comesAgain: boolean;
  /** Some tasks are nobody's until others give them back, so that the group assigns again soon. */
  readonly isPartial: boolean;
}

/** What a member needs of a `KafkaClient`. */
export interface GroupClient {
  coordinator(kind: 'group', key: string): MaybePromise<GroupNode>;
  forgetCoordinator(kind: 'group', key: string): void;
}

/** The requests of group members. Each is delayed by nothing else that a broker is asked. */
export interface GroupNode {
  /** Answers when the others have joined, up to the rebalance timeout later. */
  joinGroup(request: JoinGroupRequest): Promise<JoinedGroup>;
  /** Answers when the leader has assigned. */
  syncGroup(request: SyncGroupRequest): Promise<{ readonly error: ErrorName; readonly assignment: Buffer }>;
  /** A connection that has said nothing for so long is given up. */
  heartbeat(request: GroupMemberRequest, withinMs: number): Promise<ErrorName>;
  leaveGroup(request: LeaveGroupRequest): Promise<ErrorName>;
}

export interface JoinGroupRequest {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Empty for one that is new; then it is answered with MEMBER_ID_REQUIRED and the id to come back with. */
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly protocolType: string;
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

export interface JoinedGroup {
  readonly error: ErrorName;
  readonly generation: number;
  readonly protocol: string;
  readonly leaderId: string;
  readonly memberId: string;
  /** Only the leader is told. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly metadata: Buffer;
}

export interface GroupMemberRequest {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | undefined;
}

export interface SyncGroupRequest extends GroupMemberRequest {
  /** Empty but for the leader. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
}

export interface LeaveGroupRequest {
  readonly group: string;
  readonly memberId: string;
  readonly instanceId: string | undefined;
}
