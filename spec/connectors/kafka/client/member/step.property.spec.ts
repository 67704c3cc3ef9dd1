import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isActive, runOut, wakeAt } from '../../../../../connectors/kafka/client/member/active.ts';
import type { MemberEffect, MemberEvent, MemberState } from '../../../../../connectors/kafka/client/member/state.ts';
import { firstStep, step } from '../../../../../connectors/kafka/client/member/step.ts';
import { answersOf, happenings, heartbeat, joined, part, sessionOf, settings, synced } from './situations.ts';

/** A world that drives one member with whatever comes, and holds it to what the port promises. */
class World {
  now = 0;
  state: MemberState;
  /** From `assigned` to the call of `revoked` or `lost`. */
  readonly running = new Set<number>();
  /** Calls of the listener that are not done, with what is given back. */
  readonly revoking = new Map<number, readonly number[]>();
  isLosing = false;
  ends = 0;
  isClosed = false;

  constructor() {
    const { state, effects } = firstStep(0, settings);
    this.state = state;
    this.#see(effects);
  }

  happen(event: MemberEvent): void {
    if (event.on === 'told revoked' && !this.revoking.delete(event.call)) return;
    if (event.on === 'told lost') {
      if (!this.isLosing) return;
      this.isLosing = false;
    }
    if (event.on === 'close') this.isClosed = true;
    if (event.on === 'given up') for (const task of event.tasks) this.running.delete(task);
    const isOver = runOut(this.state, this.now, settings) !== undefined && this.#holds;
    const { state, effects } = step(this.state, event, this.now, settings);
    this.state = state;
    if (isOver) expect(effects[0]).toMatchObject({ do: 'tell lost' });
    this.#see(effects);
    if (isActive(state)) expect([...state.held.running].sort()).toEqual([...this.running].sort());
    else expect(this.running.size).toBe(0);
    if (state.is === 'left') expect([this.ends, this.isClosed]).toEqual([1, true]);
    else expect(this.ends).toBe(0);
  }

  get #holds(): boolean {
    const { state } = this;
    return isActive(state) && state.held.running.length + state.held.ending.length > 0;
  }

  #see(effects: readonly MemberEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'tell assigned': {
          const busy = [...this.running, ...[...this.revoking.values()].flat()];
          expect([this.isLosing, this.isClosed]).toEqual([false, false]);
          expect(effect.tasks.length).toBeGreaterThan(0);
          expect(effect.tasks.filter(task => busy.includes(task))).toEqual([]);
          for (const task of effect.tasks) this.running.add(task);
          break;
        }
        case 'tell revoked':
          expect(this.isLosing || this.revoking.has(effect.call)).toBe(false);
          expect(effect.tasks.length).toBeGreaterThan(0);
          for (const task of effect.tasks) expect(this.running.delete(task)).toBe(true);
          this.revoking.set(effect.call, effect.tasks);
          break;
        case 'tell lost':
          expect(this.running.size + this.revoking.size > 0 || effect.loss.isFinal).toBe(true);
          expect(this.isLosing).toBe(false);
          this.running.clear();
          this.isLosing = true;
          break;
        case 'join': {
          // What runs is claimed at every join, and what ends unless it is too late.
          expect(this.isLosing).toBe(false);
          expect(effect.claim.running).toEqual(expect.arrayContaining([...this.running]));
          const ending = [...this.revoking.values()].flat();
          for (const task of effect.claim.ending) expect(ending).toContain(task);
          break;
        }
        case 'end':
          this.ends++;
          break;
      }
    }
  }
}

const count = happenings(0, 0).length;
const moves = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        is: fc.constant('what is next' as const),
        tasks: fc.uniqueArray(fc.nat(4)),
        more: fc.nat(3),
      }),
    },
    { weight: 1, arbitrary: fc.record({ is: fc.constant('done' as const), which: fc.nat(3) }) },
    {
      weight: 2,
      arbitrary: fc.record({ is: fc.constant('anything' as const), which: fc.nat(count - 1), old: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ is: fc.constant('time' as const), ms: fc.nat(9_000), ticks: fc.boolean() }) },
  ),
  { maxLength: 80 },
);

/** What a group in order would answer, so that members get far. */
function whatIsNext({ state, now, isLosing }: World, tasks: readonly number[], more: number): MemberEvent {
  const { round } = state;
  if (isLosing) return { on: 'told lost' };
  if (state.is === 'joining') return state.isAsked ? joined(round, 'NONE') : { on: 'tick' };
  if (state.is === 'syncing') {
    return synced(round, 'NONE', part(tasks, { comesAgain: more === 1, isPartial: more > 1 }));
  }
  return heartbeat(sessionOf(state), more === 0 ? 'REBALANCE_IN_PROGRESS' : 'NONE', now);
}

it('keeps what the port promises, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(moves, list => {
      const world = new World();
      for (const move of list) {
        const { state } = world;
        if (move.is === 'what is next') world.happen(whatIsNext(world, move.tasks, move.more));
        else if (move.is === 'done') {
          const calls = [...world.revoking.keys()];
          world.happen({ on: 'told revoked', call: calls[move.which % calls.length] ?? 0 });
        } else if (move.is === 'time') {
          world.now += move.ms;
          if (move.ticks) world.happen({ on: 'tick' });
        } else {
          const past = move.old ? 1 : 0;
          const [what, event] = happenings(state.round - past, sessionOf(state) - past)[move.which] ?? [];
          const fits = /^(close|told|given|tick)/.test(what ?? '') || answersOf(state).test(what ?? '');
          if (event && (fits || move.old)) world.happen(event);
        }
      }
      world.happen({ on: 'close' });
      for (let i = 0; i < 200 && world.state.is !== 'left'; i++) {
        world.now = Math.max(world.now, wakeAt(world.state, settings) ?? world.now);
        world.happen({ on: 'tick' });
      }
      expect(world.state.is).toBe('left');
    }),
    { numRuns: 1_500 },
  );
});
