import type { TidemarkError } from '../../../../lib/index.ts';
import type { Assignment, Claim, JoinedGroup, JoinedMember, Loss } from '../member-port.ts';
import type { ErrorName } from '../port.ts';
import type { Assignments } from './assignments.ts';
import type { GroupMemberSettings } from './options.ts';

/** Where a member stands. Times are those of its clock. */
export type MemberState = Active | Lost | Leaving | Left;

interface Known {
  /** Counts what was asked: answers to an older one are stale. */
  readonly round: number;
  /** Empty until the group has given one, and when it has forgotten it. */
  readonly memberId: string;
}

/** A member, or about to become one again. What it holds goes on in each of the three. */
export type Active = Joining | Syncing | Stable;

interface Trying {
  /** When the trying began, for the join timeout. */
  readonly since: number;
  /** In a row. */
  readonly failures: number;
  /** When the request was sent that is waited for. */
  readonly sentAt: number;
  /** When it is too late for the answer; without a request, when to send it. */
  readonly until: number;
}

interface InGroup extends Known {
  readonly held: Held;
  /** `undefined` while the group does not know it, and nothing is held. */
  readonly session: Session | undefined;
  readonly isClosing: boolean;
}

/** Asks to be taken in, or waits to ask again. */
export interface Joining extends InGroup, Trying {
  readonly is: 'joining';
  readonly isAsked: boolean;
  /** Something was given back since it was asked: the claim of the request is not true any more. */
  readonly isOutdated: boolean;
}

/** Taken in, and has asked for its part. */
export interface Syncing extends InGroup, Trying {
  readonly is: 'syncing';
  readonly session: Session;
  readonly isOutdated: boolean;
}

/** Has its part. */
export interface Stable extends InGroup {
  readonly is: 'stable';
  readonly session: Session;
}

/** The tasks that may run here, and those that are given back. */
export interface Held {
  /** Of which it got what it was told last. */
  readonly generation: number;
  /** `assigned` has been called for them. */
  readonly running: readonly number[];
  /** `revoked` has been called for them and is not done. */
  readonly ending: readonly Ending[];
  /** Assigned anew while they still ended. */
  readonly waiting: readonly number[];
  /** The group assigns again soon. */
  readonly isPartial: boolean;
  /** Given up while the request that claims them was under way: its answer does not bring them back. */
  readonly dropped: readonly number[];
  /** How often `revoked` was called. */
  readonly calls: number;
}

/** One call of `revoked`. */
export interface Ending {
  readonly call: number;
  readonly tasks: readonly number[];
  /** When they are given away, whether they have ended or not; infinite from then on. */
  readonly until: number;
}

/** What the group knows of a member, and what the member knows of that. */
export interface Session {
  /** In which round it began: heartbeats of an earlier one are stale. */
  readonly id: number;
  readonly generation: number;
  /** The group knew the member then: when the newest request that it answered so was sent. */
  readonly provenAt: number;
  /** No rebalance had begun by then that this member has not joined. */
  readonly calmAt: number;
  /** When the next heartbeat is sent, whether the last one was answered or not. */
  readonly beatAt: number;
  readonly isBeating: boolean;
  readonly failures: number;
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
  | {
      readonly on: 'synced';
      readonly round: number;
      readonly error: ErrorName;
      readonly assignment: Assignment;
    }
  | { readonly on: 'heartbeat'; readonly session: number; readonly sentAt: number; readonly error: ErrorName }
  | { readonly on: 'left'; readonly round: number; readonly error: ErrorName }
  | {
      readonly on: 'failed';
      readonly request: 'join' | 'sync' | 'leave';
      readonly round: number;
      readonly error: TidemarkError;
      readonly mayPass: boolean;
    }
  | {
      readonly on: 'heartbeat failed';
      readonly session: number;
      readonly error: TidemarkError;
      readonly mayPass: boolean;
    }
  /** The listener is done with this call of `revoked`. */
  | { readonly on: 'told revoked'; readonly call: number }
  | { readonly on: 'told lost' }
  /** These tasks do not run here, although they were assigned. */
  | { readonly on: 'given up'; readonly tasks: readonly number[] }
  | { readonly on: 'close' };

/** What is to be done, in this order. */
export type MemberEffect =
  | { readonly do: 'join'; readonly round: number; readonly memberId: string; readonly claim: Claim }
  | {
      readonly do: 'sync';
      readonly round: number;
      readonly memberId: string;
      readonly generation: number;
      readonly assignments: Assignments;
    }
  | { readonly do: 'heartbeat'; readonly session: number; readonly memberId: string; readonly generation: number }
  | { readonly do: 'leave'; readonly round: number; readonly memberId: string }
  | { readonly do: 'forget coordinator' }
  | { readonly do: 'tell assigned'; readonly tasks: readonly number[]; readonly generation: number }
  | {
      readonly do: 'tell revoked';
      readonly call: number;
      readonly tasks: readonly number[];
      readonly withinMs: number;
    }
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
  /** What the leader of the group sends. */
  readonly assign: (members: readonly JoinedMember[]) => Assignments;
};
