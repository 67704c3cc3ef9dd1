import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomOf } from './group/random.ts';
import { SimulatedGroup } from './group/simulated-group.ts';

type Change = 'join' | 'close' | 'die' | 'stop' | 'fail over' | 'lose' | 'slow' | 'hang joins';
const changesOf = (...kinds: readonly Change[]) =>
  fc.array(
    fc.record({
      change: fc.constantFrom(...kinds),
      which: fc.nat(20),
      /** Before it. */
      ms: fc.oneof(fc.nat(500), fc.nat(8_000), fc.nat(40_000)),
      length: fc.nat(50_000),
    }),
    { maxLength: 25 },
  );

interface Move {
  readonly change: Change;
  readonly which: number;
  readonly ms: number;
  readonly length: number;
}

/** Goes through all of it; members that were never stopped nor died are undisturbed. */
function run(tasks: number, moves: readonly Move[], seed: number): SimulatedGroup {
  const group = new SimulatedGroup({ tasks, random: randomOf(seed), mostEndMs: seed % 3 === 0 ? 90_000 : 4_000 });
  group.join();
  for (const { change, which, ms, length } of moves) {
    group.time.runUntil(group.time.now + ms);
    const { living } = group;
    const member = living[which % living.length];
    if (change === 'join') group.join();
    else if (change === 'fail over') group.coordinator.failOver();
    else if (change === 'lose') {
      group.lossRate = 0.3;
      group.time.after(length, () => {
        group.lossRate = 0;
      });
    } else if (change === 'slow') {
      group.slowRate = 0.3;
      group.time.after(length, () => {
        group.slowRate = 0;
      });
    } else if (change === 'hang joins') member?.hangJoins(length * 2);
    else if (change === 'stop') member?.stop(length);
    else if (change === 'die') member?.die();
    else member?.close();
  }
  group.time.runUntil(group.time.now + 60_000);
  if (group.living.length === 0) group.join();
  return group;
}

const group = fc.record({ tasks: fc.integer({ min: 1, max: 12 }), seed: fc.nat() });

it('no task runs in two places unless one of them was lost, and every task runs in the end, whatever happens', () => {
  const anything = changesOf('join', 'join', 'close', 'die', 'stop', 'fail over', 'lose', 'slow', 'hang joins');
  fc.assert(
    fc.property(group, anything, ({ tasks, seed }, moves) => {
      expect(run(tasks, moves, seed).settle(400_000)).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

it('while processes only come and go, nobody who stays loses anything, and tasks are given back only for balance', () => {
  fc.assert(
    fc.property(group, changesOf('join', 'join', 'close', 'die'), ({ tasks, seed }, moves) => {
      const settled = run(tasks, moves, seed);
      expect(settled.settle(400_000)).toBeDefined();
      const lost = settled.heard.filter(({ call }) => call.is === 'lost');
      expect(lost).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

it('one more member costs those who stay their surplus and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), group, (before, { tasks, seed }) => {
      const some = new SimulatedGroup({ tasks, random: randomOf(seed) });
      for (let i = 0; i < before; i++) some.join();
      expect(some.settle(120_000)).toBeDefined();
      const heard = some.heard.length;
      some.join();
      some.time.runUntil(some.time.now + 1_000);
      expect(some.settle(120_000)).toBeDefined();
      const moved = some.heard.slice(heard).flatMap(({ call }) => (call.is === 'revoked' ? call.tasks : []));
      expect(moved).toHaveLength(Math.floor(tasks / (before + 1)));
    }),
    { numRuns: 60 },
  );
});
