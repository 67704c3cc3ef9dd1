import { beat, isBeatDue, ofHeartbeat, runsOutAt } from './heartbeats.ts';
import { drop, ended, giveBack, isEmpty, isOverdue } from './held.ts';
import { joinIsDue, ofJoining } from './joining.ts';
import { leave, leaveUnknown } from './leaving.ts';
import { lose } from './losing.ts';
import type { Active, Held, MemberEffect, MemberEvent, MemberState, Step, StepSettings } from './state.ts';
import { ofSyncing, syncIsDue } from './syncing.ts';
import { join } from './trying.ts';

export const isActive = (state: MemberState): state is Active =>
  state.is === 'joining' || state.is === 'syncing' || state.is === 'stable';

/** The loss, where time has run out. */
export function runOut(state: MemberState, now: number, settings: StepSettings): Step | undefined {
  if (!isActive(state) || now < runsOutAt(state, settings)) return undefined;
  return lose(state, 'SESSION_EXPIRED', now, settings);
}

export function ofActive(state: Active, event: MemberEvent, now: number, settings: StepSettings): Step {
  switch (event.on) {
    case 'tick':
      return ticked(state, now, settings);
    case 'heartbeat':
    case 'heartbeat failed':
      return ofHeartbeat(state, event, now, settings);
    case 'told revoked':
      if (!state.held.ending.some(({ call }) => call === event.call)) break;
      return isGivenBack(state, ended(state.held, event.call), wasOverdue(state.held, event.call), now, settings);
    case 'given up':
      return giveUp(state, event.tasks, now, settings);
    case 'close':
      return close(state, now, settings);
    default:
      if (state.is === 'joining') return ofJoining(state, event, now, settings);
      if (state.is === 'syncing') return ofSyncing(state, event, now, settings);
  }
  return { state, effects: [] };
}

/** One thing at a time: what else is due comes with the next tick, which is at once. */
function ticked(state: Active, now: number, settings: StepSettings): Step {
  if (isBeatDue(state, now)) return beat(state, now, settings);
  if (state.is === 'joining' && now >= state.until) return joinIsDue(state, now, settings);
  if (state.is === 'syncing' && now >= state.until) return syncIsDue(state, now, settings);
  const { held } = state;
  if (!held.ending.some(({ until }) => now >= until)) return { state, effects: [] };
  const ending = held.ending.map(ending =>
    now >= ending.until ? { ...ending, until: Number.POSITIVE_INFINITY } : ending,
  );
  return isGivenBack(state, [{ ...held, ending }, []], false, now, settings);
}

const wasOverdue = ({ ending }: Held, call: number): boolean =>
  ending.some(ending => ending.call === call && isOverdue(ending));

/** Tells the group, unless it knows: somebody waits for it. */
function isGivenBack(
  state: Active,
  [held, effects]: readonly [Held, readonly MemberEffect[]],
  isKnown: boolean,
  now: number,
  settings: StepSettings,
): Step {
  const after = { ...state, held };
  if (after.isClosing) return isEmpty(held) ? depart(after, effects, now, settings) : { state: after, effects };
  if (isKnown) return { state: after, effects };
  if (after.is !== 'stable') return { state: { ...after, isOutdated: true }, effects };
  const { state: joining, effects: more } = join(after, now, settings);
  return { state: joining, effects: [...effects, ...more] };
}

/** The group is to assign these anew: to whoever claims them, or to anybody, maybe to this member again. */
function giveUp(state: Active, tasks: readonly number[], now: number, settings: StepSettings): Step {
  const held = drop(state.held, tasks);
  if (held === undefined) return { state, effects: [] };
  if (state.is !== 'stable') return { state: { ...state, held, isOutdated: true }, effects: [] };
  return join({ ...state, held }, now, settings);
}

function close(state: Active, now: number, settings: StepSettings): Step {
  if (state.isClosing) return { state, effects: [] };
  const [held, effects] = giveBack(
    { ...state.held, waiting: [] },
    state.held.running,
    now,
    settings.rebalanceTimeoutMs,
  );
  const closing = { ...state, held, isClosing: true };
  if (isEmpty(held)) return depart(closing, effects, now, settings);
  if (closing.is !== 'stable') return { state: { ...closing, isOutdated: true }, effects };
  // The others hear of it now, so that they are soon there when the tasks have ended.
  const { state: joining, effects: more } = join(closing, now, settings);
  return { state: joining, effects: [...effects, ...more] };
}

function depart(state: Active, effects: readonly MemberEffect[], now: number, settings: StepSettings): Step {
  // The group may just be giving it an id, and would wait for it to come back with it.
  const isUnknown = state.is === 'joining' && state.isAsked && state.memberId === '' && settings.leavesOnClose;
  const left = isUnknown ? leaveUnknown(state, now) : leave(state, now, settings);
  return { state: left.state, effects: [...effects, ...left.effects] };
}

/** When the member has to look at its clock again, whatever happens until then. */
export function wakeAt(state: MemberState, settings: StepSettings): number | undefined {
  if (state.is === 'leaving') return Math.min(state.until, state.nextAt ?? state.until);
  if (!isActive(state)) return undefined;
  return Math.min(
    state.is === 'stable' ? Number.POSITIVE_INFINITY : state.until,
    state.session?.beatAt ?? Number.POSITIVE_INFINITY,
    runsOutAt(state, settings),
    ...state.held.ending.map(({ until }) => until),
  );
}
