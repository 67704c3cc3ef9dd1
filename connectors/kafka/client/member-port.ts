import type { MaybePromise, TidemarkError } from '../../../lib/index.ts';
import type { ErrorName, TopicMetadata, TopicPartition } from './port.ts';

/** What a member holds in one generation of its group. */
export interface Membership {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly generation: number;
  /** Empty for a hot standby. */
  readonly partitions: readonly TopicPartition[];
}

/** Why a member does not hold its partitions any more, without having given them back. */
export interface Loss {
  /**
   * SESSION_EXPIRED: by our own clock the group may think so, whatever the broker would say. REVOKED_TOO_LATE: `revoked` took
   * longer than the rebalance timeout. The others are the broker's; FAILED: see `error`.
   */
  readonly why:
    | 'SESSION_EXPIRED'
    | 'REVOKED_TOO_LATE'
    | 'UNKNOWN_MEMBER_ID'
    | 'ILLEGAL_GENERATION'
    | 'FENCED_INSTANCE_ID'
    | 'FAILED';
  /** The member does not join again: another process has its instance id, or `error` does not pass by itself. */
  readonly isFinal: boolean;
  readonly error: TidemarkError | undefined;
}

/**
 * Hears what becomes of a member. `assigned` is followed by exactly one of `revoked` and `lost`, but for a loss while `revoked`
 * is at work; after both are done, and not before, the next `assigned` comes. None of them may throw.
 */
export interface MembershipListener {
  /** The partitions are this member's, until one of the others is called. The same may come back after a `revoked`. */
  assigned(generation: number, partitions: readonly TopicPartition[]): void;
  /** Awaited, up to the rebalance timeout, before the partitions go to anyone; until then they are still held. */
  revoked(): MaybePromise<void>;
  /** Somebody else may have the partitions already. Joining again waits until it is done. A final loss comes without `assigned`, too. */
  lost(loss: Loss): MaybePromise<void>;
}

/** One member of a consumer group; it joins when it is made, and again after each loss that is not final. */
export interface GroupMember {
  /**
   * What is held at this moment, by the clock: where the session may have run out, `lost` is called first and this is `undefined`.
   * Timers and answers may be late in a busy process, so ask before anything that only the owner may do.
   */
  readonly current: Membership | undefined;
  /** Makes the group assign anew, because what there is to assign has changed; `why` is for the log. */
  rejoin(why: string): void;
  /**
   * Gives back what is held (`revoked`), leaves the group and ends every timer. Idempotent; bounded by the rebalance timeout and
   * a few seconds. Requests under way end with the client.
   */
  close(): Promise<void>;
}

/** A member as the one that assigns sees it. */
export interface Candidate {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly topics: readonly string[];
  /** What it held last and did not lose; `undefined` when that is nothing it can speak for. */
  readonly claim: Claim | undefined;
}

export interface Claim {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

/** Decides who gets what; all members of a group must have the same one. Pure, and the same for every order of `members`. */
export interface Assignor {
  /** Goes over the wire: another way to assign needs another name. */
  readonly name: string;
  /** Partitions by member id; who is left out gets none. */
  assign(
    members: readonly Candidate[],
    partitions: readonly TopicPartition[],
  ): ReadonlyMap<string, readonly TopicPartition[]>;
}

/** What a member needs of a `KafkaClient`. */
export interface GroupClient {
  readonly location: string;
  topics(names: readonly string[]): Promise<readonly TopicMetadata[]>;
  coordinator(kind: 'group', key: string): MaybePromise<GroupNode>;
  forgetCoordinator(kind: 'group', key: string): void;
}

/** The requests of group members. Each is delayed by nothing else that a broker is asked. */
export interface GroupNode {
  /** Answers when the others have joined, up to the rebalance timeout later. */
  joinGroup(request: JoinGroupRequest): Promise<JoinedGroup>;
  /** Answers when the leader has assigned. */
  syncGroup(request: SyncGroupRequest): Promise<{ readonly error: ErrorName; readonly assignment: Buffer }>;
  heartbeat(request: GroupMemberRequest): Promise<ErrorName>;
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
