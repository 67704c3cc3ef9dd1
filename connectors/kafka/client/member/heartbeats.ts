import { isEmpty } from './held.ts';
import { lose } from './losing.ts';
import { memberRefusal } from './refusal.ts';
import type { Active, MemberEvent, Session, Step, StepSettings } from './state.ts';
import { join } from './trying.ts';
import { memberVerdict } from './verdict.ts';

/** From when on somebody else may have what is held; infinite for a member that has nothing and waits for answers. */
export function runsOutAt(state: Active, { sessionTimeoutMs, rebalanceTimeoutMs }: StepSettings): number {
  const { is, session, held } = state;
  if (session === undefined || (is !== 'stable' && isEmpty(held))) return Number.POSITIVE_INFINITY;
  const expiresAt = session.provenAt + sessionTimeoutMs;
  // The group waits no longer for those who have not joined.
  return is === 'stable' ? expiresAt : Math.min(expiresAt, session.calmAt + rebalanceTimeoutMs);
}

export const isBeatDue = ({ session }: Active, now: number): boolean => session !== undefined && now >= session.beatAt;

export function beat(state: Active, now: number, settings: StepSettings): Step {
  const { session, memberId } = state;
  if (session === undefined) return { state, effects: [] };
  const { id, generation, isBeating } = session;
  return {
    state: withSession(state, { ...session, isBeating: true, beatAt: now + settings.heartbeatIntervalMs }),
    // Not answered for a whole interval: maybe another broker answers for the group now.
    effects: [
      ...(isBeating ? [{ do: 'forget coordinator' } as const] : []),
      { do: 'heartbeat', session: id, memberId, generation },
    ],
  };
}

export function ofHeartbeat(
  state: Active,
  event: Extract<MemberEvent, { on: 'heartbeat' | 'heartbeat failed' }>,
  now: number,
  settings: StepSettings,
): Step {
  const { session } = state;
  if (session === undefined || session.id !== event.session) return { state, effects: [] };
  if (event.on === 'heartbeat failed') {
    if (!event.mayPass) return lose(state, 'FAILED', now, settings, event.error);
    return beatLater(state, session, now, settings, true);
  }
  return answered(state, session, event, now, settings);
}

function answered(
  state: Active,
  session: Session,
  { sentAt, error }: Extract<MemberEvent, { on: 'heartbeat' }>,
  now: number,
  settings: StepSettings,
): Step {
  const verdict = memberVerdict(error);
  const beatAt = Math.max(sentAt + beatEvery(state, settings), now);
  const alive = { ...session, beatAt, isBeating: false, failures: 0 };
  const provenAt = Math.max(session.provenAt, sentAt);
  switch (verdict) {
    case 'fine': {
      const calmAt = Math.max(session.calmAt, sentAt);
      return { state: withSession(state, { ...alive, provenAt, calmAt }), effects: [] };
    }
    case 'rejoin': {
      const rebalancing = withSession(state, { ...alive, provenAt });
      return rebalancing.is === 'stable' ? join(rebalancing, now, settings) : { state: rebalancing, effects: [] };
    }
    case 'forgotten':
      return lose(state, 'UNKNOWN_MEMBER_ID', now, settings);
    case 'outdated':
      // The answer that says of which generation it is now may be on its way.
      if (state.is !== 'stable') return { state: withSession(state, alive), effects: [] };
      return lose(state, 'ILLEGAL_GENERATION', now, settings);
    case 'fenced':
      return lose(state, 'FENCED_INSTANCE_ID', now, settings, memberRefusal(settings.group, error));
    case 'elsewhere':
    case 'again':
      return beatLater(state, session, now, settings, verdict === 'elsewhere');
    default:
      return lose(state, 'FAILED', now, settings, memberRefusal(settings.group, error));
  }
}

/** Of a new assignment members hear with a heartbeat, and where one is about to come, tasks stand still until then. */
export const beatEvery = ({ held }: Pick<Active, 'held'>, { heartbeatIntervalMs }: StepSettings): number =>
  held.isPartial ? heartbeatIntervalMs / 10 : heartbeatIntervalMs;

function beatLater(state: Active, session: Session, now: number, settings: StepSettings, isElsewhere: boolean): Step {
  const failures = session.failures + 1;
  const beatAt = now + Math.min(settings.pauseMs(failures), settings.heartbeatIntervalMs);
  return {
    state: withSession(state, { ...session, isBeating: false, beatAt, failures }),
    effects: isElsewhere ? [{ do: 'forget coordinator' }] : [],
  };
}

const withSession = <S extends Active>(state: S, session: Session): S => ({ ...state, session });
