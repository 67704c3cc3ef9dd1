import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type TransactionPhase,
  TransactionState,
  type TransactionStep,
} from '../../../../connectors/kafka/produce/transaction-state.ts';

const steps: readonly TransactionStep[] = [
  'initialise',
  'write',
  'flush',
  'flush done',
  'add offsets',
  'offsets added',
  'offsets failed',
  'commit',
  'abort',
  'not sent',
  'ended',
  'ended in doubt',
];

function stateAfter(...taken: TransactionStep[]): TransactionState {
  const state = new TransactionState();
  for (const [time, step] of taken.entries()) state.step(step, time);
  return state;
}

const flushed: TransactionStep[] = ['initialise', 'write', 'flush', 'flush done'];
const withOffsets: TransactionStep[] = [...flushed, 'add offsets', 'offsets added'];

// How each phase is come to, and all that may be asked then, with the phase after it.
const phases: readonly [TransactionPhase, TransactionStep[], Partial<Record<TransactionStep, TransactionPhase>>][] = [
  ['not initialised', [], { initialise: 'none' }],
  ['none', ['initialise'], { initialise: 'none', write: 'begun', 'add offsets': 'adding offsets' }],
  ['begun', ['initialise', 'write'], { write: 'begun', flush: 'flushing' }],
  ['flushing', ['initialise', 'write', 'flush'], { write: 'flushing', flush: 'flushing', 'flush done': 'flushed' }],
  ['flushed', flushed, { write: 'begun', 'add offsets': 'adding offsets', commit: 'ending', abort: 'ending' }],
  [
    'adding offsets',
    [...flushed, 'add offsets'],
    { 'add offsets': 'adding offsets', 'offsets added': 'offsets added', 'offsets failed': 'flushed' },
  ],
  [
    'offsets added',
    withOffsets,
    { write: 'begun', 'add offsets': 'adding offsets', commit: 'ending', abort: 'ending' },
  ],
  ['ending', [...withOffsets, 'commit'], { ended: 'none', 'ended in doubt': 'not initialised', 'not sent': 'flushed' }],
];

describe.each(phases)('in phase "%s"', (phase, way, allowed) => {
  test.each(steps)('"%s" is taken, or refused and changes nothing', step => {
    const state = stateAfter(...way);
    expect(state.phase).toBe(phase);
    const next = allowed[step];
    if (next === undefined) {
      expect(() => state.step(step, 0)).toThrow(`in phase "${phase}" was asked to "${step}"`);
      expect(state.phase).toBe(phase);
    } else {
      state.step(step, 0);
      expect(state.phase).toBe(next);
    }
  });

  test('nothing is taken once it is doomed, and the first reason is told', () => {
    const state = stateAfter(...way);
    state.doom(new Error('first'));
    state.doom(new Error('second'));
    for (const step of steps) expect(() => state.step(step, 0)).toThrow('first');
    expect(state.isDoomed).toBe(true);
  });
});

describe('a transaction', () => {
  test('is as old as its first record, or its offsets when those came first', () => {
    expect(stateAfter('initialise').openedAt).toBeUndefined();
    expect(stateAfter('initialise', 'write', 'write', 'flush').openedAt).toBe(1);
    expect(stateAfter('initialise', 'add offsets', 'offsets added').openedAt).toBe(1);
    expect(stateAfter(...withOffsets, 'commit').openedAt).toBe(1);
    expect(stateAfter(...withOffsets, 'commit', 'ended').openedAt).toBeUndefined();
    expect(stateAfter(...withOffsets, 'commit', 'ended', 'write').openedAt).toBe(8);
  });

  test('is not flushed when records came while it was', () => {
    expect(stateAfter('initialise', 'write', 'flush', 'write', 'flush done').phase).toBe('begun');
    expect(stateAfter('initialise', 'write', 'flush', 'write', 'flush', 'flush done').phase).toBe('flushing');
    expect(stateAfter('initialise', 'write', 'flush', 'write', 'flush', 'flush done', 'flush done').phase).toBe(
      'flushed',
    );
  });

  test('is not committed with offsets older than its last record', () => {
    const state = stateAfter(...withOffsets, 'write', 'flush', 'flush done');
    expect(() => state.step('commit', 0)).toThrow('offsets older than its last record');
    state.step('add offsets', 0);
    state.step('offsets added', 0);
    state.step('commit', 0);
    expect(state.phase).toBe('ending');
  });

  test('is not committed while the offsets of one group failed', () => {
    const state = stateAfter(...flushed, 'add offsets', 'add offsets', 'offsets failed', 'offsets added');
    expect(state.phase).toBe('flushed');
    expect(() => state.step('commit', 0)).toThrow('offsets older than its last record');
    state.step('abort', 0);
    expect(state.phase).toBe('ending');
  });

  test('may be committed without offsets', () => {
    expect(stateAfter(...flushed, 'commit').phase).toBe('ending');
  });

  test('that ended leaves nothing to the next one', () => {
    const state = stateAfter(...withOffsets, 'commit', 'ended', 'write', 'flush', 'flush done', 'commit');
    expect(state.phase).toBe('ending');
  });
});

test('nothing is committed that is not flushed, and no offsets that are stale, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...steps), { maxLength: 60, size: 'max' }), asked => {
      const state = stateAfter('initialise');
      let unflushed = 0;
      let flushing: number[] = [];
      let stale = false;
      let hasOffsets = false;
      for (const step of asked) {
        try {
          state.step(step, 0);
        } catch {
          continue;
        }
        if (step === 'write') {
          unflushed++;
          stale ||= hasOffsets;
        }
        if (step === 'flush') {
          flushing.push(unflushed);
          unflushed = 0;
        }
        // Which of several it is does not matter: all must be there.
        if (step === 'flush done') flushing = flushing.slice(1);
        if (step === 'add offsets') {
          hasOffsets = true;
          stale = false;
        }
        if (step === 'commit') {
          expect(unflushed).toBe(0);
          expect(flushing).toEqual([]);
          expect(stale).toBe(false);
        }
        if (step.startsWith('ended')) {
          hasOffsets = false;
          stale = false;
        }
        expect(state.openedAt === undefined).toBe(['not initialised', 'none'].includes(state.phase));
      }
    }),
    { numRuns: 1_000 },
  );
});
