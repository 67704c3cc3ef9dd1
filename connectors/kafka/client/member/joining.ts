import type { JoinedGroup } from '../member-port.ts';
import { lose, refused } from './losing.ts';
import type { Joining, MemberEvent, Session, Step, StepSettings } from './state.ts';
import { sync } from './syncing.ts';
import { again, ask, requestFailed } from './trying.ts';
import { memberVerdict } from './verdict.ts';

export function ofJoining(state: Joining, event: MemberEvent, now: number, settings: StepSettings): Step {
  if (event.on === 'joined') return joined(state, event.answer, now, settings);
  if (event.on === 'failed') return requestFailed(state, event, now, settings);
  return { state, effects: [] };
}

/** It is time to ask, or too late for an answer. */
export const joinIsDue = (state: Joining, now: number, settings: StepSettings): Step =>
  state.isAsked ? again(state, now, settings, 'no answer', true) : ask(state, now, settings);

function joined(state: Joining, answer: JoinedGroup, now: number, settings: StepSettings): Step {
  const { error, generation, memberId, leaderId, members } = answer;
  switch (memberVerdict(error)) {
    case 'fine': {
      const { sentAt, session: before } = state;
      // All that the group said before was of an older generation, so the next rebalance began later than that.
      const provenAt = Math.max(sentAt, before?.provenAt ?? sentAt);
      const session: Session = {
        ...{ id: state.round + 1, generation, provenAt, calmAt: provenAt },
        ...{ beatAt: now + settings.heartbeatIntervalMs, isBeating: false, failures: 0 },
      };
      const assignments = leaderId === memberId ? settings.assign(members) : [];
      return sync({ ...state, memberId, session }, assignments, now, settings);
    }
    case 'name yourself':
      // A broker that does not know the id that it gave would ask for ever.
      if (state.memberId === '' && memberId !== '') return ask({ ...state, memberId }, now, settings);
      return lose({ ...state, memberId: '' }, 'UNKNOWN_MEMBER_ID', now, settings);
    default:
      return refused(state, error, now, settings);
  }
}
