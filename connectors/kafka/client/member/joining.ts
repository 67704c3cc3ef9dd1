import { messageOf, type TidemarkError } from '../../../../lib/index.ts';
import type { Claim, JoinedGroup, Loss } from '../member-port.ts';
import type { ErrorName, TopicPartition } from '../port.ts';
import { type Identity, leave, leaveMs } from './leaving.ts';
import { joinTimeout, memberRefusal } from './refusal.ts';
import type { Assignments, Joining, MemberEffect, MemberEvent, Step, StepSettings, Syncing } from './state.ts';
import { memberVerdict } from './verdict.ts';

/** What an answer may take beyond what the broker waits for. */
const answerMs = 5_000;

/** Asks to be taken in, at once. */
export function join(of: Identity, claim: Claim | undefined, now: number, settings: StepSettings): Step {
  const { round, memberId } = of;
  return ask(
    { is: 'joining', round, memberId, claim, since: now, failures: 0, until: now, isAsked: false },
    now,
    settings,
  );
}

export function ofJoining(state: Joining, event: MemberEvent, now: number, settings: StepSettings): Step {
  switch (event.on) {
    case 'tick':
      if (now < state.until) break;
      return state.isAsked ? again(state, now, settings, 'no answer', true) : ask(state, now, settings);
    case 'joined':
      return joined(state, event.answer, now, settings);
    case 'failed':
      return tryingFailed(state, event, now, settings);
    case 'close': {
      if (state.memberId !== '' || !state.isAsked || !settings.leavesOnClose) return leave(state, now, settings);
      // The group may just be giving it an id, and would wait for it to come back with it.
      const { round, memberId } = state;
      return {
        state: { is: 'leaving', round, memberId, until: now + leaveMs, nextAt: undefined, failures: 0 },
        effects: [],
      };
    }
  }
  return { state, effects: [] };
}

export function ofSyncing(state: Syncing, event: MemberEvent, now: number, settings: StepSettings): Step {
  switch (event.on) {
    case 'tick':
      if (now < state.until) break;
      return again(state, now, settings, 'no answer', state.sentAt !== undefined);
    case 'assigned':
      return sync(state, event.assignments, now, settings);
    case 'synced':
      return synced(state, event.error, event.partitions, now, settings);
    case 'failed':
      return tryingFailed(state, event, now, settings);
    case 'rejoin':
      return { state: { ...state, isRejoinWanted: true }, effects: [] };
    case 'close':
      return leave(state, now, settings);
  }
  return { state, effects: [] };
}

/** Ends the trying for good. */
export function finalLoss(
  { round, memberId }: Identity,
  why: Loss['why'],
  error: TidemarkError,
  before: readonly MemberEffect[] = [],
): Step {
  const loss: Loss = { why, isFinal: true, error };
  const known = why === 'FENCED_INSTANCE_ID' ? '' : memberId;
  return {
    state: { is: 'lost', round: round + 1, memberId: known, loss, waitsFor: 1 },
    effects: [...before, { do: 'tell lost', loss }],
  };
}

function joined(state: Joining, answer: JoinedGroup, now: number, settings: StepSettings): Step {
  const { error, generation, memberId, leaderId, members } = answer;
  switch (memberVerdict(error)) {
    case 'fine': {
      const round = state.round + 1;
      const { claim, since, failures } = state;
      const isLeader = leaderId === memberId;
      const syncing: Syncing = {
        ...{ is: 'syncing', round, memberId, claim, since, failures, generation, isRejoinWanted: false },
        ...{ sentAt: undefined, until: now + settings.sessionTimeoutMs / 2 },
      };
      if (isLeader) return { state: syncing, effects: [{ do: 'assign', round, members }] };
      return sync(syncing, [], now, settings);
    }
    case 'name yourself':
      // A broker that does not know the id that it gave would ask for ever.
      if (state.memberId !== '' || memberId === '') return again({ ...state, memberId: '' }, now, settings, error);
      return ask({ ...state, memberId }, now, settings);
    case 'forgotten':
      return again({ ...state, memberId: '', claim: undefined }, now, settings, error);
    case 'fenced':
    case 'final':
      return inVain(state, error, settings);
    default:
      return again(state, now, settings, error, memberVerdict(error) === 'elsewhere');
  }
}

function synced(
  state: Syncing,
  error: ErrorName,
  partitions: readonly TopicPartition[],
  now: number,
  settings: StepSettings,
): Step {
  const { round, memberId, generation, sentAt = now } = state;
  switch (memberVerdict(error)) {
    case 'fine': {
      if (state.isRejoinWanted) return join(state, state.claim, now, settings);
      // The leader took so long that most of the session may be over: the same question is answered at once now.
      if (now - sentAt >= settings.sessionTimeoutMs / 2) return sync(state, [], now, settings);
      const membership = { memberId, instanceId: settings.instanceId, generation, partitions };
      const aliveUntil = sentAt + settings.sessionTimeoutMs;
      const beatAt = now + settings.heartbeatIntervalMs;
      return {
        state: { is: 'stable', round, memberId, membership, aliveUntil, beatAt, isBeating: false, failures: 0 },
        effects: [{ do: 'tell assigned', membership }],
      };
    }
    case 'rejoin':
      return join(state, state.claim, now, settings);
    case 'forgotten':
      return again({ ...state, memberId: '', claim: undefined }, now, settings, error);
    case 'outdated':
      return again({ ...state, claim: undefined }, now, settings, error);
    case 'fenced':
    case 'final':
      return inVain(state, error, settings);
    default:
      return again(state, now, settings, error, memberVerdict(error) === 'elsewhere');
  }
}

function ask(state: Joining, now: number, settings: StepSettings): Step {
  const round = state.round + 1;
  const { memberId, claim } = state;
  const until = now + settings.rebalanceTimeoutMs + answerMs;
  return {
    state: { ...state, round, isAsked: true, until },
    effects: [{ do: 'join', round, memberId, claim }],
  };
}

/** Joins again after a pause, from the beginning. */
function again(
  { round, memberId, claim, since, failures: before }: Joining | Syncing,
  now: number,
  settings: StepSettings,
  why: string | TidemarkError,
  isElsewhere = false,
): Step {
  const effects: MemberEffect[] = isElsewhere ? [{ do: 'forget coordinator' }] : [];
  if (now - since >= settings.joinTimeoutMs) {
    const cause = typeof why === 'string' ? undefined : why;
    const last = typeof why === 'string' ? why : messageOf(why);
    const error = joinTimeout(settings.group, settings.joinTimeoutMs, last, cause);
    return finalLoss({ round, memberId }, 'FAILED', error, effects);
  }
  const failures = before + 1;
  const until = now + settings.pauseMs(failures);
  // Another round: the answer to the one that was given up is nobody's any more.
  return {
    state: { is: 'joining', round: round + 1, memberId, claim, since, failures, until, isAsked: false },
    effects,
  };
}

function tryingFailed(
  state: Joining | Syncing,
  { error, mayPass, request }: Extract<MemberEvent, { on: 'failed' }>,
  now: number,
  settings: StepSettings,
): Step {
  if (mayPass) return again(state, now, settings, error, request !== 'assign');
  return finalLoss(state, 'FAILED', error);
}

function inVain(state: Joining | Syncing, error: ErrorName, settings: StepSettings): Step {
  const why = memberVerdict(error) === 'fenced' ? 'FENCED_INSTANCE_ID' : 'FAILED';
  return finalLoss(state, why, memberRefusal(settings.group, error));
}

function sync(state: Syncing, assignments: Assignments, now: number, settings: StepSettings): Step {
  const round = state.round + 1;
  const { memberId, generation } = state;
  // A leader that has gone is noticed after its session.
  const until = now + settings.sessionTimeoutMs + answerMs;
  return {
    state: { ...state, round, sentAt: now, until },
    effects: [{ do: 'sync', round, memberId, generation, assignments }],
  };
}
