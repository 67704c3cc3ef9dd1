import type { TidemarkError } from '../../../../lib/index.ts';
import type { Loss } from '../member-port.ts';
import type { ErrorName } from '../port.ts';
import { isEmpty, nothing } from './held.ts';
import { leave } from './leaving.ts';
import { memberRefusal } from './refusal.ts';
import type { Active, MemberEffect, Step, StepSettings } from './state.ts';
import { again, finalLoss } from './trying.ts';
import { memberVerdict } from './verdict.ts';

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

/** What follows when the group refuses a place in it, or a part. */
export function refused(state: Active, error: ErrorName, now: number, settings: StepSettings): Step {
  const verdict = memberVerdict(error);
  if (verdict === 'forgotten') return lose(state, 'UNKNOWN_MEMBER_ID', now, settings);
  if (verdict === 'fenced' || verdict === 'final') {
    const why = verdict === 'fenced' ? 'FENCED_INSTANCE_ID' : 'FAILED';
    return finalLoss(state, why, memberRefusal(settings.group, error));
  }
  // As long as the group knows it, nothing was given to others that it claims, in whatever generation.
  return again(state, now, settings, error, verdict === 'elsewhere');
}
