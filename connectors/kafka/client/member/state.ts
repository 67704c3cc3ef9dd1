import type { TidemarkError } from '../../../../lib/index.ts';
import type { Claim, JoinedGroup, JoinedMember, Loss, Membership, SyncGroupRequest } from '../member-port.ts';
import type { ErrorName, TopicPartition } from '../port.ts';
import type { GroupMemberSettings } from './options.ts';

/** Where a member stands. Times are those of its clock. */
export type MemberState = Joining | Syncing | Stable | Revoking | Lost | Leaving | Left;

interface Known {
  /** Counts what was asked: answers to an older one are stale. */
  readonly round: number;
  /** Empty until the group has given one, and when it has forgotten it. */
  readonly memberId: string;
}

interface Trying extends Known {
  /** What was held before, and given back. */
  readonly claim: Claim | undefined;
  /** When the trying began, for the join timeout. */
  readonly since: number;
  /** In a row. */
  readonly failures: number;
  /** When it is too late for the answer; without a request, when to send it. */
  readonly until: number;
}

/** Holds nothing; asks to be taken in, or waits to ask again. */
export interface Joining extends Trying {
  readonly is: 'joining';
  readonly isAsked: boolean;
}

/** Taken in, holds nothing yet: makes the assignment as the leader, or has asked for its part of it. */
export interface Syncing extends Trying {
  readonly is: 'syncing';
  readonly generation: number;
  /** Left out while the leader still assigns. */
  readonly sentAt: number | undefined;
  readonly isRejoinWanted: boolean;
}

interface Holding extends Known {
  readonly membership: Membership;
  /** The group may take the partitions away from then on: counted from the sending of what it has last answered. */
  readonly aliveUntil: number;
  /** When the next heartbeat is sent, whether the last one was answered or not. */
  readonly beatAt: number;
  readonly isBeating: boolean;
  readonly failures: number;
}

/** Holds what it was assigned. */
export interface Stable extends Holding {
  readonly is: 'stable';
}

/** Still holds it, while the listener gives it back. */
export interface Revoking extends Holding {
  readonly is: 'revoking';
  /** The group waits no longer. */
  readonly until: number;
  readonly next: 'join' | 'leave';
}

/** Holds nothing: it was taken away, or joining is in vain. */
export interface Lost extends Known {
  readonly is: 'lost';
  readonly loss: Loss;
  /** How many calls of the listener have to end before it joins again. */
  readonly waitsFor: number;
}

/** Closed, and says so to the group. */
export interface Leaving extends Known {
  readonly is: 'leaving';
  readonly until: number;
  /** When to ask again; `undefined` while the group's answer to the first join is awaited, which has the id to leave with. */
  readonly nextAt: number | undefined;
  readonly failures: number;
}

export interface Left extends Known {
  readonly is: 'left';
}

/** What happens to a member. */
export type MemberEvent =
  | { readonly on: 'tick' }
  | { readonly on: 'joined'; readonly round: number; readonly answer: JoinedGroup }
  | { readonly on: 'assigned'; readonly round: number; readonly assignments: Assignments }
  | {
      readonly on: 'synced';
      readonly round: number;
      readonly error: ErrorName;
      readonly partitions: readonly TopicPartition[];
    }
  | { readonly on: 'heartbeat'; readonly round: number; readonly sentAt: number; readonly error: ErrorName }
  | { readonly on: 'left'; readonly round: number; readonly error: ErrorName }
  | {
      readonly on: 'failed';
      readonly request: 'join' | 'assign' | 'sync' | 'heartbeat' | 'leave';
      readonly round: number;
      readonly error: TidemarkError;
      readonly mayPass: boolean;
    }
  /** The listener is done with `revoked` or `lost`. */
  | { readonly on: 'told'; readonly of: 'revoked' | 'lost' }
  | { readonly on: 'rejoin' }
  | { readonly on: 'close' };

export type Assignments = SyncGroupRequest['assignments'];

/** What is to be done, in this order. */
export type MemberEffect =
  | { readonly do: 'join'; readonly round: number; readonly memberId: string; readonly claim: Claim | undefined }
  | { readonly do: 'assign'; readonly round: number; readonly members: readonly JoinedMember[] }
  | {
      readonly do: 'sync';
      readonly round: number;
      readonly memberId: string;
      readonly generation: number;
      readonly assignments: Assignments;
    }
  | { readonly do: 'heartbeat'; readonly round: number; readonly membership: Membership }
  | { readonly do: 'leave'; readonly round: number; readonly memberId: string }
  | { readonly do: 'forget coordinator' }
  | { readonly do: 'tell assigned'; readonly membership: Membership }
  | { readonly do: 'tell revoked' }
  | { readonly do: 'tell lost'; readonly loss: Loss }
  | { readonly do: 'end' };

export interface Step {
  readonly state: MemberState;
  readonly effects: readonly MemberEffect[];
}

export type StepSettings = Pick<
  GroupMemberSettings,
  | 'group'
  | 'instanceId'
  | 'sessionTimeoutMs'
  | 'heartbeatIntervalMs'
  | 'rebalanceTimeoutMs'
  | 'joinTimeoutMs'
  | 'leavesOnClose'
> & {
  /** How long to wait after so many failures in a row. */
  readonly pauseMs: (failures: number) => number;
};

/** When the member has to look at its clock again, whatever happens until then. */
export function wakeAt(state: MemberState): number | undefined {
  switch (state.is) {
    case 'joining':
    case 'syncing':
      return state.until;
    case 'stable':
      return Math.min(state.beatAt, state.aliveUntil);
    case 'revoking':
      return Math.min(state.beatAt, state.aliveUntil, state.until);
    case 'leaving':
      return Math.min(state.until, state.nextAt ?? state.until);
    default:
      return undefined;
  }
}
