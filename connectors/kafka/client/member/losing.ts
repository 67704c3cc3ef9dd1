import type { TidemarkError } from '../../../../lib/index.ts';
import type { Loss } from '../member-port.ts';
import { isEmpty, nothing } from './held.ts';
import { leave } from './leaving.ts';
import type { Active, MemberEffect, Step, StepSettings } from './state.ts';
import { again, finalLoss } from './trying.ts';

/** Not in the group any more, or maybe not: everything is lost. Where nothing was held it just joins again; with an error it does not. */
export function lose(
  state: Active,
  why: Loss['why'],
  now: number,
  settings: StepSettings,
  error?: TidemarkError,
): Step {
  const isGone = why === 'UNKNOWN_MEMBER_ID' || why === 'FENCED_INSTANCE_ID';
  const known: Active = { ...state, memberId: isGone ? '' : state.memberId };
  if (error !== undefined) return finalLoss(known, why, error);
  const { ending, calls } = state.held;
  if (isEmpty(state.held)) {
    return again({ ...known, held: { ...nothing, ending, calls }, session: undefined }, now, settings, why);
  }
  const loss: Loss = { why, isFinal: false, error: undefined };
  const tell: MemberEffect = { do: 'tell lost', loss };
  if (state.isClosing) {
    const { state: leaving, effects } = leave(known, now, settings);
    return { state: leaving, effects: [tell, ...effects] };
  }
  const { round, memberId } = known;
  return { state: { is: 'lost', round: round + 1, memberId, loss, waitsFor: ending.length + 1 }, effects: [tell] };
}
