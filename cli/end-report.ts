import type { JobOutcome, JobStatus } from '../lib/job/handle.ts';
import { exitCodeOfEnd, exitCodes } from './exit-code.ts';
import { count, counted, duration, percent, timeOfDay } from './quantities.ts';

/** The end of a job in one sentence or two. */
export function endText(outcome: JobOutcome, status: JobStatus, elapsedMs: number, hasRun: boolean): string {
  const { job, restoredFrom, lastCheckpoint } = status;
  if (outcome === 'finished' && !hasRun && restoredFrom) {
    return `${job} has finished before: checkpoint #${restoredFrom.id} of ${dateOf(restoredFrom.createdAt)} covers all of its input, so there was nothing left to do. With --fresh it starts over.`;
  }
  const counts = `${counted(status.records.in, 'record')} in, ${count(status.records.out)} out, in ${duration(elapsedMs)}`;
  const id = lastCheckpoint?.outcome === 'committed' ? lastCheckpoint.id : undefined;
  if (outcome === 'finished') {
    return `${job} finished: ${counts}.${id === undefined ? '' : ` Checkpoint #${id} covers all of its input.`}`;
  }
  if (outcome === 'cancelled') return `${job} was cancelled, without a final checkpoint: ${counts}.`;
  const goesOn =
    id === undefined
      ? ' Started again, it goes on from its last checkpoint.'
      : ` Started again, it goes on from checkpoint #${id}.`;
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
