import { describe, expect, it } from 'vitest';
import { type CheckpointPhase, CheckpointProgress, type FailureDecision } from '../../lib/checkpoint/progress.ts';

type Step =
  | 'begin'
  | 'arrived'
  | 'written'
  | 'prepared'
  | 'committed'
  | 'applied'
  | 'failed, may pass'
  | 'failed for good'
  | 'timed out';

const steps: readonly Step[] = [
  'begin',
  'arrived',
  'written',
  'prepared',
  'committed',
  'applied',
  'failed, may pass',
  'failed for good',
  'timed out',
];

/** All that decides what comes next. */
interface State {
  readonly phase: CheckpointPhase;
  readonly awaited: number;
  readonly failures: number;
  readonly id: number;
}

interface Setting {
  readonly ends: number;
  readonly tolerableFailures: number;
}

type Answer = number | boolean | FailureDecision | 'refused';

/** What must happen, as a table; written down apart from the code. */
function expected({ ends, tolerableFailures }: Setting, state: State, step: Step): { next: State; answer: Answer } {
  const { phase, awaited, failures } = state;
  const stays = (answer: Answer) => ({ next: state, answer });
  const goes = (to: CheckpointPhase) => ({ next: { ...state, phase: to }, answer: true });
  const fails = (mayPass: boolean) => {
    if (phase === 'idle') return stays('ignore');
    if (phase === 'committing' || phase === 'applying') return stays('restart');
    const answer = mayPass && failures + 1 <= tolerableFailures ? 'abandon' : 'restart';
    return { next: { ...state, phase: 'idle' as const, failures: failures + 1 }, answer: answer as Answer };
  };
  switch (step) {
    case 'begin':
      if (phase !== 'idle') return stays('refused');
      return {
        next: { ...state, phase: ends === 0 ? 'writing' : 'aligning', awaited: ends, id: state.id + 1 },
        answer: state.id + 1,
      };
    case 'arrived':
      if (phase !== 'aligning') return stays(false);
      return awaited > 1
        ? { next: { ...state, awaited: awaited - 1 }, answer: false }
        : { next: { ...state, awaited: 0, phase: 'writing' }, answer: true };
    case 'written':
      return phase === 'writing' ? goes('preparing') : stays(false);
    case 'prepared':
      return phase === 'preparing' ? goes('committing') : stays(false);
    case 'committed':
      return phase === 'committing'
        ? { next: { ...state, phase: 'applying', failures: 0 }, answer: true }
        : stays(false);
    case 'applied':
      return phase === 'applying' ? goes('idle') : stays(false);
    case 'failed, may pass':
      return fails(true);
    case 'failed for good':
      return fails(false);
    case 'timed out':
      return phase === 'committing' || phase === 'applying' ? stays('ignore') : fails(true);
  }
}

function take(progress: CheckpointProgress, { ends }: Setting, step: Step, id: number): Answer {
  switch (step) {
    case 'begin':
      try {
        return progress.begin(ends);
      } catch {
        return 'refused';
      }
    case 'failed, may pass':
      return progress.failed(id, true);
    case 'failed for good':
      return progress.failed(id, false);
    case 'timed out':
      return progress.timedOut(id);
    default:
      return progress[step](id);
  }
}

const firstId = 7;

function progressAfter(setting: Setting, path: readonly Step[]): CheckpointProgress {
  const progress = new CheckpointProgress(firstId, setting.tolerableFailures);
  for (const step of path) take(progress, setting, step, progress.id);
  return progress;
}

/** Every state that can be reached, with a shortest path to it. */
function reachable(setting: Setting): { state: State; path: readonly Step[] }[] {
  const begun: State = { phase: 'idle', awaited: 0, failures: 0, id: firstId };
  const found = new Map([[keyOf(begun), { state: begun, path: [] as readonly Step[] }]]);
  for (const { state, path } of found.values()) {
    for (const step of steps) {
      const { next } = expected(setting, state, step);
      const isNew = !found.has(keyOf(next)) && next.failures <= setting.tolerableFailures + 1;
      if (isNew) found.set(keyOf(next), { state: next, path: [...path, step] });
    }
  }
  return [...found.values()];
}

/** States that differ in the number of their checkpoint only behave alike. */
const keyOf = ({ phase, awaited, failures }: State): string => `${phase}/${awaited}/${failures}`;

const settings: Setting[] = [0, 1, 2, 3].flatMap(ends =>
  [0, 1, 2].map(tolerableFailures => ({ ends, tolerableFailures })),
);

describe('CheckpointProgress', () => {
  it.each(settings)('does what the table says in every state: $ends ends, $tolerableFailures tolerable failures', s => {
    for (const { state, path } of reachable(s)) {
      for (const step of steps) {
        const progress = progressAfter(s, path);
        const wanted = expected(s, state, step);
        const where = `${[...path, step].join(' → ')}`;
        expect(take(progress, s, step, progress.id), where).toBe(wanted.answer);
        expect({ phase: progress.phase, failures: progress.failures }, where).toEqual({
          phase: wanted.next.phase,
          failures: wanted.next.failures,
        });
        expect(progress.id, where).toBe(
          progressAfter(s, path).id + (step === 'begin' && wanted.answer !== 'refused' ? 1 : 0),
        );
      }
    }
  });

  it.each(settings)('ignores what belongs to another checkpoint: $ends ends, $tolerableFailures tolerable', s => {
    for (const { path } of reachable(s)) {
      for (const step of steps.filter(other => other !== 'begin')) {
        for (const distance of [-1, 1]) {
          const progress = progressAfter(s, path);
          const before = { ...progress };
          const where = `${path.join(' → ')} → ${step} of another`;
          expect([false, 'ignore'], where).toContain(take(progress, s, step, progress.id + distance));
          expect({ ...progress }, where).toEqual(before);
        }
      }
    }
  });

  it('never gives up a checkpoint that may count', () => {
    for (const s of settings) {
      for (const { state, path } of reachable(s)) {
        if (state.phase !== 'committing' && state.phase !== 'applying') continue;
        for (const step of steps) {
          const progress = progressAfter(s, path);
          expect(take(progress, s, step, progress.id), `${path.join(' → ')} → ${step}`).not.toBe('abandon');
          expect(progress.isIdle && step !== 'applied').toBe(false);
        }
      }
    }
  });

  it('uses no id twice, whatever becomes of a checkpoint', () => {
    const progress = new CheckpointProgress(firstId, 100);
    const ids = ['failed, may pass', 'timed out', 'committed'].map(fate => {
      const id = progress.begin(1);
      if (fate === 'failed, may pass') progress.failed(id, true);
      else if (fate === 'timed out') progress.timedOut(id);
      else for (const step of ['arrived', 'written', 'prepared', 'committed', 'applied'] as const) progress[step](id);
      return id;
    });
    expect(ids).toEqual([8, 9, 10]);
  });

  it('counts failures in a row: a commit begins anew', () => {
    const progress = new CheckpointProgress(0, 1);
    const commit = () => {
      const id = progress.begin(1);
      for (const step of ['arrived', 'written', 'prepared', 'committed', 'applied'] as const) progress[step](id);
    };
    const fail = () => progress.failed(progress.begin(1), true);
    expect(fail()).toBe('abandon');
    commit();
    expect(fail()).toBe('abandon');
    expect(fail()).toBe('restart');
  });
});
