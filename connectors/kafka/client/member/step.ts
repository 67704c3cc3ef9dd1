import type { Membership } from '../member-port.ts';
import { heldUntil, isHolding, ofHolding, runOut } from './holding.ts';
import { join, ofJoining, ofSyncing } from './joining.ts';
import { leave, ofLeaving } from './leaving.ts';
import type { MemberEvent, MemberState, Step, StepSettings } from './state.ts';

/** A new member, which asks to be taken in. */
export function firstStep(now: number, settings: StepSettings): Step {
  return join({ round: 0, memberId: '' }, undefined, now, settings);
}

/** What comes of an event. Where time has run out before it, that comes first, whatever the event says. */
export function step(state: MemberState, event: MemberEvent, now: number, settings: StepSettings): Step {
  const overdue = isHolding(state) ? runOut(state, now, settings) : undefined;
  if (overdue === undefined) return next(state, event, now, settings);
  const { state: after, effects } = next(overdue.state, event, now, settings);
  return { state: after, effects: [...overdue.effects, ...effects] };
}

/** The membership, if its time has not run out. */
export function heldAt(state: MemberState, now: number): Membership | undefined {
  return isHolding(state) && now < heldUntil(state) ? state.membership : undefined;
}

function next(state: MemberState, event: MemberEvent, now: number, settings: StepSettings): Step {
  if ('round' in event && event.round !== state.round) return { state, effects: [] };
  switch (state.is) {
    case 'joining':
      return ofJoining(state, event, now, settings);
    case 'syncing':
      return ofSyncing(state, event, now, settings);
    case 'stable':
    case 'revoking':
      return ofHolding(state, event, now, settings);
    case 'lost': {
      if (event.on === 'close') return leave(state, now, settings);
      if (event.on !== 'told') break;
      const waitsFor = state.waitsFor - 1;
      if (waitsFor > 0 || state.loss.isFinal) return { state: { ...state, waitsFor }, effects: [] };
      return join(state, undefined, now, settings);
    }
    case 'leaving':
      return ofLeaving(state, event, now, settings);
  }
  return { state, effects: [] };
}
