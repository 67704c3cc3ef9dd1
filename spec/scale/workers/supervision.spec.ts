import { describe, expect, it, vi } from 'vitest';
import { type TidemarkError, UserCodeError } from '../../../lib/errors.ts';
import { UnsupportedStateError } from '../../../lib/index.ts';
import type { RestartDecision } from '../../../lib/job/restart-strategy.ts';
import { WorkerDiedError } from '../../../lib/scale/workers/errors.ts';
import {
  begun,
  type Supervision,
  type SupervisionEffect,
  type SupervisionEvent,
  step,
  type WorkerEnd,
} from '../../../lib/scale/workers/supervision.ts';

const died = new WorkerDiedError('killed');
const unmendable = new UnsupportedStateError('no');
const gaveUp = new UserCodeError('too often');
const restart = () => ({ restartInMs: 7 });
const never = () => ({ giveUp: 'enough' });

/** Supervises `workers`, with a strategy that restarts unless told otherwise; answers the effects of the last event. */
function supervised(workers: number, events: readonly SupervisionEvent[], decide: () => RestartDecision = restart) {
  let { state, effects } = begun(workers);
  for (const event of events) ({ state, effects } = step(state, event, decide));
  return { state, effects };
}
const finished = (worker: number): SupervisionEvent => ({ on: 'ended', worker, end: { outcome: 'finished' } });
const stopped = (worker: number): SupervisionEvent => ({ on: 'ended', worker, end: { outcome: 'stopped' } });
const failed = (worker: number, error: TidemarkError = died): SupervisionEvent => ({
  on: 'ended',
  worker,
  end: { error },
});
const stop: SupervisionEvent = { on: 'stop', drain: false };

describe('the supervision of workers', () => {
  it('starts them all', () => {
    expect(begun(2).effects).toEqual([
      { do: 'start', worker: 0 },
      { do: 'start', worker: 1 },
    ]);
  });

  it('starts one that died again, when the strategy says', () => {
    expect(supervised(2, [failed(1)]).effects).toEqual([{ do: 'restart later', worker: 1, inMs: 7, error: died }]);
    expect(supervised(2, [failed(1), { on: 'due', worker: 1 }]).effects).toEqual([{ do: 'start', worker: 1 }]);
  });

  it('leaves one alone that has finished, and has finished when all have', () => {
    expect(supervised(2, [finished(0)]).effects).toEqual([]);
    expect(supervised(2, [finished(0), finished(1)]).effects).toEqual([{ do: 'end', result: { outcome: 'finished' } }]);
  });

  it('stops the others when one fails with what no restart mends, and ends with that', () => {
    expect(supervised(3, [finished(0), failed(1, unmendable)]).effects).toEqual([
      { do: 'stop', worker: 2, drain: false },
    ]);
    expect(supervised(3, [finished(0), failed(1, unmendable), stopped(2)]).effects).toEqual([
      { do: 'end', result: { error: unmendable } },
    ]);
  });

  it('does not ask the strategy about what the job has restarted from as often as it may', () => {
    const error = new UserCodeError('each time');
    const asked = vi.fn(restart);
    const end = (isDecided: boolean): SupervisionEvent => ({ on: 'ended', worker: 1, end: { error, isDecided } });
    expect(supervised(2, [end(true)], asked).effects).toEqual([{ do: 'stop', worker: 0, drain: false }]);
    expect(supervised(2, [end(true), stopped(0)], asked).effects).toEqual([{ do: 'end', result: { error } }]);
    expect(asked).not.toHaveBeenCalled();
    // It failed before the job ran.
    expect(supervised(2, [end(false)], asked).effects).toMatchObject([{ do: 'restart later', worker: 1 }]);
  });

  it('stops the others when the strategy gives up', () => {
    expect(supervised(2, [failed(0)], never).effects).toEqual([{ do: 'stop', worker: 1, drain: false }]);
  });

  it('ends with the first error, whatever the others end with', () => {
    const last = supervised(2, [failed(0, unmendable), failed(1, new UserCodeError('too'))]);
    expect(last.effects).toEqual([{ do: 'end', result: { error: unmendable } }]);
  });

  it('treats one that was stopped by somebody else as one that died', () => {
    const { effects } = supervised(1, [stopped(0)]);
    expect(effects).toMatchObject([{ do: 'restart later', error: { code: 'WORKER_DIED' } }]);
  });

  it('stops all on request, and has stopped when all have', () => {
    expect(supervised(2, [{ on: 'stop', drain: true }]).effects).toEqual([
      { do: 'stop', worker: 0, drain: true },
      { do: 'stop', worker: 1, drain: true },
    ]);
    expect(supervised(2, [stop, stopped(0), finished(1)]).effects).toEqual([
      { do: 'end', result: { outcome: 'stopped' } },
    ]);
  });

  it('has finished when all had at the moment of the stop', () => {
    expect(supervised(1, [stop, finished(0)]).effects).toEqual([{ do: 'end', result: { outcome: 'finished' } }]);
  });

  it('restarts nobody during a stop, and ends with the error of one that died', () => {
    expect(supervised(2, [stop, failed(0)]).effects).toEqual([]);
    expect(supervised(2, [stop, failed(0), stopped(1)]).effects).toEqual([{ do: 'end', result: { error: died } }]);
  });

  it('ends with the error of one that was waiting for its restart when the stop came', () => {
    expect(supervised(2, [failed(0), stop]).effects).toEqual([{ do: 'stop', worker: 1, drain: false }]);
    expect(supervised(2, [failed(0), stop, { on: 'due', worker: 0 }]).effects).toEqual([]);
    expect(supervised(2, [failed(0), stop, stopped(1)]).effects).toEqual([{ do: 'end', result: { error: died } }]);
    expect(supervised(1, [failed(0), stop]).effects).toEqual([{ do: 'end', result: { error: died } }]);
  });

  it('kills one that takes too long to stop, once, and says so at the end', () => {
    const overdue: SupervisionEvent = { on: 'overdue', worker: 0 };
    expect(supervised(1, [overdue]).effects).toEqual([]);
    expect(supervised(1, [stop, overdue]).effects).toEqual([{ do: 'kill', worker: 0 }]);
    expect(supervised(1, [stop, overdue, overdue]).effects).toEqual([]);
    expect(supervised(1, [stop, overdue, failed(0)]).effects).toMatchObject([
      { do: 'end', result: { error: { code: 'TIMEOUT' } } },
    ]);
    // It made it at the last moment.
    expect(supervised(1, [stop, overdue, stopped(0)]).effects).toEqual([{ do: 'end', result: { outcome: 'stopped' } }]);
  });

  it('cancels all, also in the middle of a stop, and whatever they end with', () => {
    expect(supervised(2, [stop, { on: 'cancel' }]).effects).toEqual([
      { do: 'cancel', worker: 0 },
      { do: 'cancel', worker: 1 },
    ]);
    expect(supervised(2, [failed(0), { on: 'cancel' }, failed(1)]).effects).toEqual([
      { do: 'end', result: { outcome: 'cancelled' } },
    ]);
  });

  it('kills all at once', () => {
    expect(supervised(3, [finished(0), failed(1), stop, { on: 'kill' }]).effects).toEqual([{ do: 'kill', worker: 2 }]);
  });

  it('keeps its promises in every order of events, with two workers that die three times', () => {
    const seen = new Set<string>();
    const open: Walk[] = [walked(undefined, begun(2))];
    let overs = 0;
    for (let walk = open.pop(); walk; walk = open.pop()) {
      const name = JSON.stringify([walk.state, walk.processes, walk.told, walk.deaths]);
      verify(walk);
      if (seen.has(name)) continue;
      seen.add(name);
      if (walk.state.isOver) overs++;
      for (const event of eventsOf(walk)) {
        for (const decide of [restart, never]) open.push(walked(walk, step(walk.state, event, decide), event));
      }
    }
    expect(seen.size).toBeGreaterThan(300);
    expect(overs).toBeGreaterThan(20);
  });
});

interface Walk {
  readonly state: Supervision;
  readonly processes: readonly number[];
  /** Whether the process of a worker was told to end. */
  readonly told: readonly boolean[];
  readonly deaths: number;
  readonly ended: readonly WorkerEnd[];
  readonly results: readonly WorkerEnd[];
  readonly wrong: readonly string[];
}

function eventsOf({ processes, deaths, state }: Walk): SupervisionEvent[] {
  if (state.isOver) return [];
  const mayDie = deaths < 3;
  const ends: readonly WorkerEnd[] = [
    { outcome: 'finished' },
    ...(mayDie || state.ending ? [{ outcome: 'stopped' } as const] : []),
    ...(mayDie ? [{ error: died }, { error: unmendable }, { error: gaveUp, isDecided: true }] : []),
  ];
  return [
    stop,
    { on: 'cancel' },
    { on: 'kill' },
    ...processes.flatMap((count, worker): SupervisionEvent[] => [
      { on: 'due', worker },
      { on: 'overdue', worker },
      ...(count === 0 ? [] : ends.map(end => ({ on: 'ended' as const, worker, end }))),
    ]),
  ];
}

/** Carries out what was decided, and notes what no decision may be. */
function walked(
  before: Walk | undefined,
  { state, effects }: { readonly state: Supervision; readonly effects: readonly SupervisionEffect[] },
  event?: SupervisionEvent,
): Walk {
  const processes = [...(before?.processes ?? state.workers.map(() => 0))];
  const told = [...(before?.told ?? state.workers.map(() => false))];
  const wrong: string[] = [];
  const results = [...(before?.results ?? [])];
  const ended = [...(before?.ended ?? [])];
  let deaths = before?.deaths ?? 0;
  if (event?.on === 'ended') {
    processes[event.worker] = 0;
    told[event.worker] = false;
    ended.push(event.end);
    if (!('outcome' in event.end && event.end.outcome === 'finished')) deaths++;
  }
  for (const effect of effects) {
    if (effect.do === 'restart later' && event?.on === 'ended' && 'error' in event.end && event.end.isDecided) {
      wrong.push(`restarts ${effect.worker}, which has been restarted enough`);
    }
    if (effect.do === 'start') {
      if (processes[effect.worker] !== 0) wrong.push(`started ${effect.worker} twice`);
      if (state.ending) wrong.push(`started ${effect.worker} at the end`);
      if (before?.state.workers[effect.worker]?.is === 'ended') wrong.push(`started ${effect.worker} after its end`);
      processes[effect.worker] = 1;
      told[effect.worker] = false;
    } else if (effect.do === 'stop' || effect.do === 'cancel' || effect.do === 'kill') {
      if (processes[effect.worker] !== 1) wrong.push(`told ${effect.worker}, which is not there`);
      told[effect.worker] = true;
    } else if (effect.do === 'end') results.push(effect.result);
  }
  return { state, processes, told, deaths, ended, results, wrong };
}

function verify({ state, processes, told, ended, results, wrong }: Walk): void {
  expect(wrong).toEqual([]);
  const live = processes.flatMap((count, worker) => (count > 0 ? [worker] : []));
  // Who is alive knows that it is to end; who waits will be started.
  if (state.ending) for (const worker of live) expect(told[worker]).toBe(true);
  const waiting = state.workers.filter(({ is }) => is === 'waiting').length;
  if (state.ending) expect(waiting).toBe(0);
  expect(state.isOver).toBe(live.length === 0 && waiting === 0);
  expect(results).toHaveLength(state.isOver ? 1 : 0);
  const [result] = results;
  if (!result) return;
  if ('error' in result) {
    const isSeen = ended.some(end => 'error' in end && end.error === result.error);
    expect(isSeen || ['TIMEOUT', 'WORKER_DIED'].includes(result.error.code)).toBe(true);
  } else if (result.outcome === 'finished')
    expect(state.workers.every(one => one.is === 'ended' && one.hasFinished)).toBe(true);
  else if (result.outcome === 'stopped') expect(state.ending).toBe('stop');
}
