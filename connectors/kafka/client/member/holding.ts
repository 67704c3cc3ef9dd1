import type { TidemarkError } from '../../../../lib/index.ts';
import type { Loss } from '../member-port.ts';
import { finalLoss, join } from './joining.ts';
import { leave, left } from './leaving.ts';
import { memberRefusal } from './refusal.ts';
import type { MemberEffect, MemberEvent, MemberState, Revoking, Stable, Step, StepSettings } from './state.ts';
import { memberVerdict } from './verdict.ts';

export const isHolding = (state: MemberState): state is Stable | Revoking =>
  state.is === 'stable' || state.is === 'revoking';

/** From when on somebody else may hold it. */
export const heldUntil = (state: Stable | Revoking): number =>
  state.is === 'revoking' ? Math.min(state.aliveUntil, state.until) : state.aliveUntil;

/** The loss, where time has run out. */
export function runOut(state: Stable | Revoking, now: number, settings: StepSettings): Step | undefined {
  if (now < heldUntil(state)) return undefined;
  return lose(state, now >= state.aliveUntil ? 'SESSION_EXPIRED' : 'REVOKED_TOO_LATE', now, settings);
}

export function ofHolding(state: Stable | Revoking, event: MemberEvent, now: number, settings: StepSettings): Step {
  switch (event.on) {
    case 'tick':
      return now < state.beatAt ? { state, effects: [] } : beat(state, now, settings);
    case 'heartbeat':
      return heartbeatAnswered(state, event, now, settings);
    case 'failed': {
      if (!event.mayPass) return lose(state, 'FAILED', now, settings, event.error);
      return beatLater(state, now, settings, true);
    }
    case 'rejoin':
      return state.is === 'stable' ? revoke(state, 'join', now + settings.rebalanceTimeoutMs) : { state, effects: [] };
    case 'close':
      if (state.is === 'revoking') return { state: { ...state, next: 'leave' }, effects: [] };
      return revoke(state, 'leave', now + settings.rebalanceTimeoutMs);
    case 'told': {
      if (state.is === 'stable' || event.of !== 'revoked') break;
      if (state.next === 'leave') return leave(state, now, settings);
      const { generation, partitions } = state.membership;
      return join(state, { generation, partitions }, now, settings);
    }
  }
  return { state, effects: [] };
}

function heartbeatAnswered(
  state: Stable | Revoking,
  { sentAt, error }: Extract<MemberEvent, { on: 'heartbeat' }>,
  now: number,
  settings: StepSettings,
): Step {
  const verdict = memberVerdict(error);
  switch (verdict) {
    case 'fine':
    case 'rejoin': {
      const aliveUntil = Math.max(state.aliveUntil, sentAt + settings.sessionTimeoutMs);
      const beatAt = Math.max(sentAt + settings.heartbeatIntervalMs, now);
      const alive = { ...state, aliveUntil, beatAt, isBeating: false, failures: 0 };
      if (verdict === 'fine' || alive.is === 'revoking') return { state: alive, effects: [] };
      // The rebalance began after the last heartbeat that was fine had been sent: so long the group waits at least.
      const since = state.aliveUntil - settings.sessionTimeoutMs;
      return revoke(alive, 'join', since + settings.rebalanceTimeoutMs);
    }
    case 'forgotten':
      return lose(state, 'UNKNOWN_MEMBER_ID', now, settings);
    case 'outdated':
      return lose(state, 'ILLEGAL_GENERATION', now, settings);
    case 'fenced':
      return lose(state, 'FENCED_INSTANCE_ID', now, settings, memberRefusal(settings.group, error));
    case 'elsewhere':
    case 'again':
      return beatLater(state, now, settings, verdict === 'elsewhere');
    default:
      return lose(state, 'FAILED', now, settings, memberRefusal(settings.group, error));
  }
}

function beat(state: Stable | Revoking, now: number, settings: StepSettings): Step {
  const { round, membership, isBeating } = state;
  return {
    state: { ...state, isBeating: true, beatAt: now + settings.heartbeatIntervalMs },
    // Not answered for a whole interval: maybe another broker answers for the group now.
    effects: [...(isBeating ? [{ do: 'forget coordinator' } as const] : []), { do: 'heartbeat', round, membership }],
  };
}

function beatLater(state: Stable | Revoking, now: number, settings: StepSettings, isElsewhere: boolean): Step {
  const failures = state.failures + 1;
  const beatAt = now + Math.min(settings.pauseMs(failures), settings.heartbeatIntervalMs);
  return {
    state: { ...state, isBeating: false, beatAt, failures },
    effects: isElsewhere ? [{ do: 'forget coordinator' }] : [],
  };
}

function revoke(state: Stable, next: Revoking['next'], until: number): Step {
  return { state: { ...state, is: 'revoking', next, until }, effects: [{ do: 'tell revoked' }] };
}

function lose(
  state: Stable | Revoking,
  why: Loss['why'],
  now: number,
  settings: StepSettings,
  error?: TidemarkError,
): Step {
  const isGone = why === 'UNKNOWN_MEMBER_ID' || why === 'FENCED_INSTANCE_ID';
  const memberId = isGone ? '' : state.memberId;
  const { round } = state;
  if (error !== undefined) {
    const lost = finalLoss({ round, memberId }, why, error);
    if (state.is !== 'revoking' || state.next !== 'leave') return lost;
    return { state: left({ round, memberId }).state, effects: [...lost.effects, { do: 'end' }] };
  }
  const loss: Loss = { why, isFinal: false, error: undefined };
  const tell: MemberEffect = { do: 'tell lost', loss };
  if (state.is === 'revoking' && state.next === 'leave') {
    const { state: leaving, effects } = leave({ round, memberId }, now, settings);
    return { state: leaving, effects: [tell, ...effects] };
  }
  const waitsFor = state.is === 'revoking' ? 2 : 1;
  return { state: { is: 'lost', round: round + 1, memberId, loss, waitsFor }, effects: [tell] };
}
