import { describe, expect, it } from 'vitest';
import { type Bounds, check, initial, type Mutation, steps, type World } from './commit-protocol.ts';
import { type Exploration, explore } from './explore.ts';

const small: Bounds = { records: 2, modes: ['K', 'K'], abandons: 1, crashes: 0, timeouts: 0, maxId: 4, maxToken: 3 };
const withTimeout: Bounds = { ...small, abandons: 0, timeouts: 1, maxId: 3 };
const gained: Bounds = { ...small, modes: ['S', 'K'], abandons: 0 };
const removed: Bounds = { ...small, modes: ['K', 'S'], abandons: 0 };
const toAndFro: Bounds = { ...small, modes: ['K', 'S', 'K'], records: 1, abandons: 0, maxId: 3 };

function explored(bounds: Bounds, mutation?: Mutation): Exploration {
  const isDone = (world: World) => world.decided[1][0] === bounds.records;
  return explore(initial(bounds), world => steps(world, bounds, mutation), check, isDone, 2_000_000);
}

// TIDEMARK_SOAK=1 explores further: crashes beside zombies, and a commit point that is changed twice, with abandoned checkpoints.
const further: readonly (readonly [string, Bounds])[] = process.env.TIDEMARK_SOAK
  ? [
      ['crashes', { ...small, crashes: 1 }],
      ['a sink that is gained, with crashes and abandoned checkpoints', { ...gained, abandons: 1, crashes: 1 }],
      ['a sink that is removed, with crashes and abandoned checkpoints', { ...removed, abandons: 1, crashes: 1 }],
      ['a sink that comes and goes twice', { ...toAndFro, maxId: 4, maxToken: 4 }],
    ]
  : [];

describe('the commit protocol', () => {
  it.each([
    ['two incarnations, one a zombie, and an abandoned checkpoint', small],
    ['a transaction that the broker ends because it is too old', withTimeout],
    ['an exactly-once sink that is gained', gained],
    ['an exactly-once sink that is removed', removed],
    ['one that is removed and comes back', toAndFro],
    ...further,
  ] as const)(
    'holds with %s, whatever interleaves',
    (_, bounds) => {
      const { violation, path, states, done } = explored(bounds);
      expect(violation, path.join(' ')).toBeUndefined();
      expect(states).toBeGreaterThan(10_000);
      expect(done).toBeGreaterThan(0);
    },
    120_000,
  );

  it.each<[Mutation, Bounds, RegExp]>([
    ['readfirst', small, /older than the newest confirmed/],
    ['guess', small, /I1/],
    ['newest', small, /restored .* decided/],
    ['nohold', small, /I1/],
    ['commitfirst', small, /I2/],
    ['deleteontimeout', small, /I2/],
    ['confirmedonly', small, /restored .* decided/],
    ['goon', withTimeout, /I1/],
    ['nostorefence', removed, /restored .* decided/],
    ['notakeover', gained, /restored .* decided/],
    ['noresolve', removed, /restored .* decided/],
    ['oldrecord', gained, /restored .* decided/],
  ])('is broken by "%s", and that is found', (mutation, bounds, violation) => {
    expect(explored(bounds, mutation).violation).toMatch(violation);
  });
});
