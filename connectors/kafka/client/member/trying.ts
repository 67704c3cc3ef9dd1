import { messageOf, type TidemarkError } from '../../../../lib/index.ts';
import type { Loss } from '../member-port.ts';
import { claimOf } from './held.ts';
import { type Identity, left } from './leaving.ts';
import { joinTimeout } from './refusal.ts';
import type { Active, Joining, MemberEffect, Step, StepSettings } from './state.ts';

/** What an answer may take beyond what the broker waits for. */
export const answerMs = 5_000;

/** What stays the same while a member joins. */
export type InGroup = Pick<Joining, 'round' | 'memberId' | 'held' | 'session' | 'isClosing'>;

/** Asks to be taken in, at once. */
export function join(of: InGroup, now: number, settings: StepSettings): Step {
  return ask(joiningOf(of, { since: now, failures: 0, until: now }), now, settings);
}

export function ask(state: Joining, now: number, settings: StepSettings): Step {
  const round = state.round + 1;
  const { memberId, isClosing } = state;
  const held = { ...state.held, dropped: [] };
  const until = now + settings.rebalanceTimeoutMs + answerMs;
  return {
    state: { ...state, held, round, isAsked: true, isOutdated: false, sentAt: now, until },
    effects: [{ do: 'join', round, memberId, claim: claimOf(held, isClosing) }],
  };
}

/** Joins again after a pause, from the beginning. */
export function again(
  of: InGroup & Partial<Pick<Joining, 'since' | 'failures'>>,
  now: number,
  settings: StepSettings,
  why: string | TidemarkError,
  isElsewhere = false,
): Step {
  const { since = now, failures: before = 0 } = of;
  const effects: MemberEffect[] = isElsewhere ? [{ do: 'forget coordinator' }] : [];
  if (now - since >= settings.joinTimeoutMs) {
    const cause = typeof why === 'string' ? undefined : why;
    const last = typeof why === 'string' ? why : messageOf(why);
    const error = joinTimeout(settings.group, settings.joinTimeoutMs, last, cause);
    return finalLoss(of, 'FAILED', error, effects);
  }
  const failures = before + 1;
  const until = now + settings.pauseMs(failures);
  // Another round: the answer to the one that was given up is nobody's any more.
  return { state: joiningOf({ ...of, round: of.round + 1 }, { since, failures, until }), effects };
}

/** Ends the trying for good. */
export function finalLoss(
  { round, memberId, held, isClosing }: InGroup,
  why: Loss['why'],
  error: TidemarkError,
  before: readonly MemberEffect[] = [],
): Step {
  const loss: Loss = { why, isFinal: true, error };
  const effects: MemberEffect[] = [...before, { do: 'tell lost', loss }];
  const of: Identity = { round, memberId: why === 'FENCED_INSTANCE_ID' ? '' : memberId };
  if (isClosing) return { state: left(of).state, effects: [...effects, { do: 'end' }] };
  return {
    state: { is: 'lost', round: round + 1, memberId: of.memberId, loss, waitsFor: held.ending.length + 1 },
    effects,
  };
}

/** A request could not be asked, or was not answered. */
export function requestFailed(
  state: Exclude<Active, { is: 'stable' }>,
  { error, mayPass }: { readonly error: TidemarkError; readonly mayPass: boolean },
  now: number,
  settings: StepSettings,
): Step {
  return mayPass ? again(state, now, settings, error, true) : finalLoss(state, 'FAILED', error);
}

function joiningOf(
  { round, memberId, held, session, isClosing }: InGroup,
  trying: Pick<Joining, 'since' | 'failures' | 'until'>,
): Joining {
  return {
    ...{ is: 'joining', round, memberId, held, session, isClosing, ...trying },
    ...{ sentAt: 0, isAsked: false, isOutdated: false },
  };
}
