import { ofActive, runOut } from './active.ts';
import { nothing } from './held.ts';
import { leave, ofLeaving } from './leaving.ts';
import type { MemberEvent, MemberState, Step, StepSettings } from './state.ts';
import { join } from './trying.ts';

/** A new member, which asks to be taken in. */
export function firstStep(now: number, settings: StepSettings): Step {
  return join({ round: 0, memberId: '', held: nothing, session: undefined, isClosing: false }, now, settings);
}

/** What comes of an event. Where time has run out before it, that comes first, whatever the event says. */
export function step(state: MemberState, event: MemberEvent, now: number, settings: StepSettings): Step {
  const overdue = runOut(state, now, settings);
  if (overdue === undefined) return next(state, event, now, settings);
  const { state: after, effects } = next(overdue.state, event, now, settings);
  return { state: after, effects: [...overdue.effects, ...effects] };
}

function next(state: MemberState, event: MemberEvent, now: number, settings: StepSettings): Step {
  if ('round' in event && event.round !== state.round) return { state, effects: [] };
  switch (state.is) {
    case 'joining':
    case 'syncing':
    case 'stable':
      return ofActive(state, event, now, settings);
    case 'lost': {
      if (event.on === 'close') return leave(state, now, settings);
      if (event.on !== 'told revoked' && event.on !== 'told lost') break;
      const waitsFor = state.waitsFor - 1;
      if (waitsFor > 0 || state.loss.isFinal) return { state: { ...state, waitsFor }, effects: [] };
      const { round, memberId } = state;
      return join({ round, memberId, held: nothing, session: undefined, isClosing: false }, now, settings);
    }
    case 'leaving':
      return ofLeaving(state, event, now, settings);
  }
  return { state, effects: [] };
}
