import type { Assignment } from '../member-port.ts';
import type { ErrorName } from '../port.ts';
import type { Assignments } from './assignments.ts';
import { giveBack, isOverdue, takeUp } from './held.ts';
import { refused } from './losing.ts';
import type {
  Held,
  Joining,
  MemberEffect,
  MemberEvent,
  Session,
  Stable,
  Step,
  StepSettings,
  Syncing,
} from './state.ts';
import { again, answerMs, join, requestFailed } from './trying.ts';
import { memberVerdict } from './verdict.ts';

/** Asks for its part, as the leader with everybody's. */
export function sync(
  state: Joining & { readonly session: Session },
  assignments: Assignments,
  now: number,
  settings: StepSettings,
): Step {
  const round = state.round + 1;
  const { memberId, session, held, isClosing, since, failures, isOutdated } = state;
  // A leader that has gone is noticed after its session.
  const until = now + settings.sessionTimeoutMs + answerMs;
  const { generation } = session;
  return {
    state: {
      ...{ is: 'syncing', round, memberId, session, held, isClosing },
      ...{ since, failures, isOutdated, sentAt: now, until },
    },
    effects: [{ do: 'sync', round, memberId, generation, assignments }],
  };
}

export function ofSyncing(state: Syncing, event: MemberEvent, now: number, settings: StepSettings): Step {
  if (event.on === 'synced') return synced(state, event.error, event.assignment, now, settings);
  if (event.on === 'failed') return requestFailed(state, event, now, settings);
  return { state, effects: [] };
}

/** It is too late for an answer. */
export const syncIsDue = (state: Syncing, now: number, settings: StepSettings): Step =>
  again(state, now, settings, 'no answer', true);

function synced(state: Syncing, error: ErrorName, assignment: Assignment, now: number, settings: StepSettings): Step {
  switch (memberVerdict(error)) {
    case 'fine':
      return taken(state, assignment, now, settings);
    case 'rejoin':
      return join(state, now, settings);
    default:
      return refused(state, error, now, settings);
  }
}

function taken(state: Syncing, assignment: Assignment, now: number, settings: StepSettings): Step {
  const { round, memberId, isClosing, sentAt, isOutdated } = state;
  const provenAt = Math.max(state.session.provenAt, sentAt);
  // Too late to be sure that it was not given to others since.
  if (now >= provenAt + settings.sessionTimeoutMs) return again(state, now, settings, 'its assignment came too late');
  const { generation } = state.session;
  const [held, effects] = partOf({ ...state.held, generation }, assignment, isClosing, now, settings);
  const beatAt = held.isPartial ? now + settings.heartbeatIntervalMs / 10 : state.session.beatAt;
  const session: Session = { ...state.session, provenAt, calmAt: Math.max(state.session.calmAt, sentAt), beatAt };
  const stable: Stable = { is: 'stable', round, memberId, isClosing, session, held };
  const isEnding = held.ending.some(ending => !isOverdue(ending));
  if (!isOutdated && (isEnding || !assignment.comesAgain)) return { state: stable, effects };
  const { state: joining, effects: more } = join(stable, now, settings);
  return { state: joining, effects: [...effects, ...more] };
}

/** Gives back what went to others, takes up what is new. One that is about to leave starts nothing. */
function partOf(
  before: Held,
  { tasks, isPartial }: Assignment,
  isClosing: boolean,
  now: number,
  { rebalanceTimeoutMs }: StepSettings,
): [Held, readonly MemberEffect[]] {
  if (isClosing) return [{ ...before, isPartial }, []];
  const unwanted = before.running.filter(task => !tasks.includes(task));
  const [held, revoking] = giveBack({ ...before, isPartial }, unwanted, now, rebalanceTimeoutMs);
  const [after, assigning] = takeUp(
    held,
    tasks.filter(task => !before.dropped.includes(task)),
  );
  return [after, [...revoking, ...assigning]];
}
