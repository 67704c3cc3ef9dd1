import type { Claim } from '../member-port.ts';
import type { Ending, Held, MemberEffect } from './state.ts';

export const nothing: Held = {
  generation: -1,
  running: [],
  ending: [],
  waiting: [],
  isPartial: false,
  dropped: [],
  calls: 0,
};

/** What others may not have: overdue tasks are given away. */
export const isEmpty = ({ running, ending }: Held): boolean => running.length === 0 && ending.every(isOverdue);

export const isOverdue = ({ until }: Ending): boolean => until === Number.POSITIVE_INFINITY;

/** What it tells the group. A task that waits to start again is claimed as one that runs: nobody else may start it. */
export function claimOf(held: Held, isClosing: boolean): Claim {
  return {
    generation: held.generation,
    running: [...held.running, ...held.waiting],
    ending: held.ending
      .filter(ending => !isOverdue(ending))
      .flatMap(({ tasks }) => tasks)
      .filter(task => !held.waiting.includes(task)),
    isLeaving: isClosing,
  };
}

/** Takes up these tasks; those that still end wait for that. */
export function takeUp(held: Held, tasks: readonly number[]): [Held, readonly MemberEffect[]] {
  const ending = held.ending.flatMap(ending => ending.tasks);
  const added = tasks.filter(task => !held.running.includes(task));
  const starting = added.filter(task => !ending.includes(task));
  const after = {
    ...held,
    running: [...held.running, ...starting],
    waiting: added.filter(task => ending.includes(task)),
  };
  if (starting.length === 0) return [after, []];
  return [after, [{ do: 'tell assigned', tasks: starting, generation: held.generation }]];
}

/** Gives up these tasks, which have ended by themselves; `undefined` where none of them is held. */
export function drop(held: Held, tasks: readonly number[]): Held | undefined {
  const dropped = tasks.filter(task => held.running.includes(task));
  if (dropped.length === 0) return undefined;
  const running = held.running.filter(task => !dropped.includes(task));
  return { ...held, running, dropped: [...held.dropped, ...dropped] };
}

/** Begins to give back these tasks. */
export function giveBack(
  held: Held,
  tasks: readonly number[],
  now: number,
  withinMs: number,
): [Held, readonly MemberEffect[]] {
  if (tasks.length === 0) return [held, []];
  const call = held.calls + 1;
  const ending = [...held.ending, { call, tasks, until: now + withinMs }];
  const running = held.running.filter(task => !tasks.includes(task));
  return [{ ...held, running, ending, calls: call }, [{ do: 'tell revoked', call, tasks, withinMs }]];
}

/** The listener is done with a call of `revoked`: what was assigned anew in the meantime starts. */
export function ended(held: Held, call: number): [Held, readonly MemberEffect[]] {
  const ending = held.ending.filter(ending => ending.call !== call);
  return takeUp({ ...held, ending, waiting: [] }, [...held.running, ...held.waiting]);
}
