import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MemberEffect, MemberEvent, MemberState } from '../../../../../connectors/kafka/client/member/state.ts';
import { wakeAt } from '../../../../../connectors/kafka/client/member/state.ts';
import { firstStep, heldAt, step } from '../../../../../connectors/kafka/client/member/step.ts';
import { happenings, heartbeat, isHolding, joined, settings, synced } from './situations.ts';

/** A world that drives a member with whatever comes, and holds it to what the port promises. */
class World {
  now = 0;
  state: MemberState;
  /** Between `assigned` and what ends it. */
  isHeld = false;
  /** Calls of the listener that are not done. */
  readonly open: ('revoked' | 'lost')[] = [];
  ends = 0;
  isClosed = false;
  lastSync = 0;
  lastProof = 0;

  constructor() {
    const { state, effects } = firstStep(0, settings);
    this.state = state;
    this.#see(effects);
  }

  happen(event: MemberEvent): void {
    const { state: before } = this;
    if (event.on === 'told') {
      const at = this.open.indexOf(event.of);
      if (at < 0) return;
      this.open.splice(at, 1);
    }
    if (event.on === 'close') this.isClosed = true;
    const isOver = this.isHeld && this.now >= this.lastProof + settings.sessionTimeoutMs;
    const { state, effects } = step(before, event, this.now, settings);
    this.state = state;
    if (isOver) expect(effects[0]).toMatchObject({ do: 'tell lost' });
    if (event.on === 'heartbeat' && event.round === before.round && isHolding(state)) {
      if (['NONE', 'REBALANCE_IN_PROGRESS'].includes(event.error)) {
        this.lastProof = Math.max(this.lastProof, event.sentAt);
      }
    }
    this.#see(effects);
    expect(heldAt(state, this.now) !== undefined).toBe(this.isHeld);
    if (state.is === 'left') expect([this.ends, this.isClosed]).toEqual([1, true]);
    else expect(this.ends).toBe(0);
  }

  #see(effects: readonly MemberEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'tell assigned':
          expect([this.isHeld, this.open]).toEqual([false, []]);
          this.isHeld = true;
          this.lastProof = this.lastSync;
          break;
        case 'tell revoked':
          expect([this.isHeld, this.open]).toEqual([true, []]);
          this.open.push('revoked');
          break;
        case 'tell lost':
          expect(this.isHeld || effect.loss.isFinal).toBe(true);
          this.isHeld = false;
          this.open.push('lost');
          break;
        case 'sync':
          this.lastSync = this.now;
          break;
        case 'join':
          this.isHeld = false;
          expect(this.open).toEqual([]);
          break;
        case 'leave':
          this.isHeld = false;
          break;
        case 'end':
          this.isHeld = false;
          this.ends++;
          break;
      }
    }
  }
}

const count = happenings(0).length;
const moves = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ is: fc.constant('what is next' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ is: fc.constant('anything' as const), which: fc.nat(count - 1), old: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ is: fc.constant('time' as const), ms: fc.nat(12_000), ticks: fc.boolean() }) },
  ),
  { maxLength: 60 },
);

/** What a group in order would answer, so that members get far. */
function whatIsNext({ state, now, open }: World): MemberEvent {
  const { round } = state;
  const [told] = open;
  if (told !== undefined) return { on: 'told', of: told };
  if (state.is === 'joining') return state.isAsked ? joined(round, 'NONE') : { on: 'tick' };
  if (state.is === 'syncing') return synced(round, 'NONE');
  return heartbeat(round, 'NONE', now);
}

it('keeps what the port promises, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(moves, list => {
      const world = new World();
      for (const move of list) {
        if (move.is === 'what is next') world.happen(whatIsNext(world));
        else if (move.is === 'time') {
          world.now += move.ms;
          if (move.ticks) world.happen({ on: 'tick' });
          else if (heldAt(world.state, world.now) === undefined && world.isHeld) world.happen({ on: 'rejoin' });
        } else {
          const [, event] = happenings(world.state.round - (move.old ? 1 : 0))[move.which] ?? [];
          const fits = event?.on !== 'failed' || event.request === requestOf(world.state);
          if (event && fits) world.happen(event);
        }
      }
      world.happen({ on: 'close' });
      for (let i = 0; i < 60 && world.state.is !== 'left'; i++) {
        world.now = Math.max(world.now, wakeAt(world.state) ?? world.now);
        world.happen({ on: 'tick' });
      }
      expect(world.state.is).toBe('left');
    }),
    { numRuns: 1_500 },
  );
});

function requestOf(state: MemberState): string {
  switch (state.is) {
    case 'joining':
      return 'join';
    case 'syncing':
      return state.sentAt === undefined ? 'assign' : 'sync';
    case 'leaving':
      return state.nextAt === undefined ? 'join' : 'leave';
    default:
      return 'heartbeat';
  }
}
