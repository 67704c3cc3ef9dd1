import type { Leaving, MemberEvent, MemberState, Step, StepSettings } from './state.ts';
import { memberVerdict } from './verdict.ts';

/** How long it is tried to tell the group good-bye. */
const leaveMs = 5_000;

export type Identity = Pick<MemberState, 'round' | 'memberId'>;

/** Tells the group, where the settings say so and it knows the member. */
export function leave({ round, memberId }: Identity, now: number, settings: StepSettings): Step {
  if (!settings.leavesOnClose || memberId === '') return left({ round, memberId });
  const until = now + leaveMs;
  return askToLeave({ is: 'leaving', round, memberId, until, nextAt: undefined, failures: 0 });
}

/** Waits for the id to leave with, which the group may just be giving it. */
export function leaveUnknown({ round, memberId }: Identity, now: number): Step {
  const until = now + leaveMs;
  return { state: { is: 'leaving', round, memberId, until, nextAt: undefined, failures: 0 }, effects: [] };
}

export function left({ round, memberId }: Identity): Step {
  return { state: { is: 'left', round: round + 1, memberId }, effects: [{ do: 'end' }] };
}

export function ofLeaving(state: Leaving, event: MemberEvent, now: number, settings: StepSettings): Step {
  switch (event.on) {
    case 'tick':
      if (now >= state.until) return left(state);
      if (state.nextAt === undefined || now < state.nextAt) break;
      return askToLeave(state);
    case 'joined':
      return event.answer.memberId === ''
        ? left(state)
        : leave({ ...state, memberId: event.answer.memberId }, now, settings);
    case 'left': {
      const verdict = memberVerdict(event.error);
      if (verdict !== 'again' && verdict !== 'elsewhere') return left(state);
      return leaveLater(state, now, settings, verdict === 'elsewhere');
    }
    case 'failed':
      return event.mayPass && event.request === 'leave' ? leaveLater(state, now, settings, true) : left(state);
  }
  return { state, effects: [] };
}

function askToLeave(state: Leaving): Step {
  const round = state.round + 1;
  const { memberId, until } = state;
  return { state: { ...state, round, nextAt: until }, effects: [{ do: 'leave', round, memberId }] };
}

function leaveLater(state: Leaving, now: number, settings: StepSettings, isElsewhere: boolean): Step {
  const failures = state.failures + 1;
  const nextAt = now + settings.pauseMs(failures);
  return {
    state: { ...state, nextAt, failures },
    effects: isElsewhere ? [{ do: 'forget coordinator' }] : [],
  };
}
