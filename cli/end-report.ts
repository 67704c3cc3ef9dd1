import type { JobOutcome, JobStatus } from '../lib/job/handle.ts';
import { exitCodeOfEnd, exitCodes } from './exit-code.ts';
import { count, counted, duration, percent, timeOfDay } from './quantities.ts';

/** The end of a job in one sentence or two. */
export function endText(outcome: JobOutcome, status: JobStatus, elapsedMs: number, hasRun: boolean): string {
  const { job, restoredFrom, lastCheckpoint } = status;
  if (outcome === 'finished' && !hasRun && restoredFrom) {
    return `${job} has finished before: checkpoint #${restoredFrom.id} of ${dateOf(restoredFrom.createdAt)} was its last, so there was nothing left to do. With --fresh it starts over.`;
  }
  const counts = `${counted(status.records.in, 'record')} in, ${count(status.records.out)} out, in ${duration(elapsedMs)}`;
  const id = lastCheckpoint?.outcome === 'committed' ? lastCheckpoint.id : undefined;
  const savepoint = lastCheckpoint?.savepoint === undefined ? '' : `, the savepoint ${lastCheckpoint.savepoint}`;
  if (outcome === 'finished') {
    if (id === undefined) return `${job} finished: ${counts}.`;
    return status.sources.every(source => source.isFinished)
      ? `${job} finished: ${counts}. Checkpoint #${id}${savepoint}${savepoint && ','} covers all of its input.`
      : `${job} finished: ${counts}. Every branch ended before the input did; checkpoint #${id}${savepoint}${savepoint && ','} says that it is done.`;
  }
  if (outcome === 'cancelled') return `${job} was cancelled, without a final checkpoint: ${counts}.`;
  const goesOn =
    id === undefined
      ? ' Started again, it goes on from its last checkpoint.'
      : ` Started again, it goes on from checkpoint #${id}${savepoint}.`;
  return exitCodeOfEnd(outcome, status) === exitCodes.stopped
    ? `${job} stopped on request before its input had ended${readSoFar(status)}: ${counts}.${goesOn}`
    : `${job} stopped on request: ${counts}.${goesOn}`;
}

function readSoFar({ sources }: JobStatus): string {
  const open = sources.filter(source => source.progress !== undefined && !source.isFinished);
  if (open.length === 0) return '';
  return ` (${open.map(source => `${percent(source.progress ?? 0)} of ${source.name}`).join(', ')})`;
}

const dateOf = (at: number): string => `${new Date(at).toDateString()} ${timeOfDay(at)}`;
