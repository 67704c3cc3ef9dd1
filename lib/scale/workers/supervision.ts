import { type TidemarkError, TimeoutError } from '../../errors.ts';
import type { JobOutcome } from '../../job/handle.ts';
import { type RestartDecision, shouldRestart } from '../../job/restart-strategy.ts';
import { WorkerDiedError } from './errors.ts';

/**
 * How a worker ended: as its job did, or with what its job failed with, or because it died. `isDecided`: the job ran there and has
 * restarted by itself as often as its strategy says, so that it is not asked a second time.
 */
export type WorkerEnd =
  | { readonly outcome: JobOutcome }
  | { readonly error: TidemarkError; readonly isDecided?: boolean };

/** What a worker is in, for who supervises it. All but `waiting` and `ended` have a process. */
export type WorkerState =
  | { readonly is: 'running' }
  /** It died, and is started again. */
  | { readonly is: 'waiting'; readonly error: TidemarkError }
  | { readonly is: 'stopping'; readonly isOverdue: boolean }
  | { readonly is: 'ended'; readonly hasFinished: boolean };

/** All workers of a job, and why they are ending, once they are. */
export interface Supervision {
  readonly workers: readonly WorkerState[];
  readonly ending: 'stop' | 'cancel' | 'failure' | undefined;
  /** What the whole ends with. */
  readonly error: TidemarkError | undefined;
  readonly isOver: boolean;
}

export type SupervisionEvent =
  /** Its process is gone. */
  | { readonly on: 'ended'; readonly worker: number; readonly end: WorkerEnd }
  /** The time of a restart has come. */
  | { readonly on: 'due'; readonly worker: number }
  /** It had the time that a stop may take. */
  | { readonly on: 'overdue'; readonly worker: number }
  | { readonly on: 'stop'; readonly drain: boolean }
  | { readonly on: 'cancel' }
  /** At once, whatever they are at. */
  | { readonly on: 'kill' };

export type SupervisionEffect =
  | { readonly do: 'start'; readonly worker: number }
  | { readonly do: 'restart later'; readonly worker: number; readonly inMs: number; readonly error: TidemarkError }
  /** Followed by `overdue` when it takes too long. */
  | { readonly do: 'stop'; readonly worker: number; readonly drain: boolean }
  | { readonly do: 'cancel'; readonly worker: number }
  | { readonly do: 'kill'; readonly worker: number }
  | { readonly do: 'end'; readonly result: WorkerEnd };

export interface SupervisionStep {
  readonly state: Supervision;
  readonly effects: readonly SupervisionEffect[];
}

/** The start: every worker. */
export function begun(workers: number): SupervisionStep {
  const all = Array.from({ length: workers }, (_, worker) => worker);
  return {
    state: { workers: all.map(() => ({ is: 'running' })), ending: undefined, error: undefined, isOver: false },
    effects: all.map(worker => ({ do: 'start', worker })),
  };
}

/** What an event makes of the workers. `decide` is the job's restart strategy: asked at most once, for a death that may be mended. */
export function step(state: Supervision, event: SupervisionEvent, decide: () => RestartDecision): SupervisionStep {
  if (state.isOver) return { state, effects: [] };
  switch (event.on) {
    case 'ended':
      return hasProcess(state.workers[event.worker]) ? ended(state, event.worker, event.end, decide) : unchanged(state);
    case 'due':
      return state.workers[event.worker]?.is === 'waiting'
        ? { state: having(state, event.worker, { is: 'running' }), effects: [{ do: 'start', worker: event.worker }] }
        : unchanged(state);
    case 'overdue': {
      const worker = state.workers[event.worker];
      if (worker?.is !== 'stopping' || worker.isOverdue) return unchanged(state);
      return {
        state: having(state, event.worker, { is: 'stopping', isOverdue: true }),
        effects: [{ do: 'kill', worker: event.worker }],
      };
    }
    case 'stop':
      return state.ending ? unchanged(state) : stopAll({ ...state, ending: 'stop' }, event.drain);
    case 'cancel':
      if (state.ending === 'cancel') return unchanged(state);
      return endAll({ ...state, ending: 'cancel' }, worker => ({ do: 'cancel', worker }), false);
    case 'kill':
      return endAll({ ...state, ending: 'cancel' }, worker => ({ do: 'kill', worker }), true);
  }
}

function ended(state: Supervision, worker: number, end: WorkerEnd, decide: () => RestartDecision): SupervisionStep {
  const hasFinished = 'outcome' in end && end.outcome === 'finished';
  const before = state.workers[worker];
  const gone = having(state, worker, { is: 'ended', hasFinished });
  if (state.ending) {
    const wasKilled = before?.is === 'stopping' && before.isOverdue && !('outcome' in end);
    const error = wasKilled ? overdueError(worker) : 'error' in end ? end.error : undefined;
    return overWhenAllEnded({ ...gone, error: gone.error ?? error });
  }
  if (hasFinished) return overWhenAllEnded(gone);
  const error = 'error' in end ? end.error : unasked(worker, end.outcome);
  const isDecided = 'error' in end && end.isDecided === true;
  const decision = !isDecided && shouldRestart(error) ? decide() : { giveUp: 'a restart would not help' };
  if ('giveUp' in decision) return stopAll({ ...gone, ending: 'failure', error }, false);
  return {
    state: having(state, worker, { is: 'waiting', error }),
    effects: [{ do: 'restart later', worker, inMs: decision.restartInMs, error }],
  };
}

function stopAll(state: Supervision, drain: boolean): SupervisionStep {
  return endAll(state, worker => ({ do: 'stop', worker, drain }), false);
}

/** No worker starts from now on: those that wait for it have ended, and with their error unless it is nobody's any more. */
function endAll(
  state: Supervision,
  effect: (worker: number) => SupervisionEffect,
  isOverdue: boolean,
): SupervisionStep {
  const waiting = state.workers.find(worker => worker.is === 'waiting');
  const workers = state.workers.map((worker): WorkerState => {
    if (worker.is === 'waiting') return { is: 'ended', hasFinished: false };
    return worker.is === 'ended' ? worker : { is: 'stopping', isOverdue };
  });
  const effects = state.workers.flatMap((worker, index) => (hasProcess(worker) ? [effect(index)] : []));
  const over = overWhenAllEnded({ ...state, workers, error: state.error ?? waiting?.error });
  return { state: over.state, effects: [...effects, ...over.effects] };
}

function overWhenAllEnded(state: Supervision): SupervisionStep {
  if (state.workers.some(({ is }) => is !== 'ended')) return unchanged(state);
  return { state: { ...state, isOver: true }, effects: [{ do: 'end', result: resultOf(state) }] };
}

function resultOf({ workers, ending, error }: Supervision): WorkerEnd {
  if (ending === 'cancel') return { outcome: 'cancelled' };
  if (error) return { error };
  const haveFinished = workers.every(worker => worker.is === 'ended' && worker.hasFinished);
  return { outcome: haveFinished ? 'finished' : 'stopped' };
}

const hasProcess = (worker: WorkerState | undefined): boolean => worker?.is === 'running' || worker?.is === 'stopping';

const unchanged = (state: Supervision): SupervisionStep => ({ state, effects: [] });

const having = (state: Supervision, index: number, worker: WorkerState): Supervision => ({
  ...state,
  workers: state.workers.map((one, at) => (at === index ? worker : one)),
});

const overdueError = (worker: number) =>
  new TimeoutError(
    `Worker ${worker + 1} did not stop in the time that it had (stopTimeout, and what closing takes) and was killed: it will replay from its last checkpoint.`,
    { context: { worker: worker + 1 } },
  );

const unasked = (worker: number, outcome: JobOutcome) =>
  new WorkerDiedError(`Worker ${worker + 1} was ${outcome}, and not by its supervisor: somebody sent it a signal.`, {
    context: { worker: worker + 1 },
  });
