import { messageOf } from '../lib/errors.ts';
import type { CheckpointEvent, JobPhase, JobStatus } from '../lib/job/handle.ts';
import { count, counted, percent, timeOfDay } from './quantities.ts';
import { checkpointSize, tasksText } from './status-view.ts';
import { Throughput } from './throughput.ts';

/** One log line: text for people, fields for machines. */
export interface ProgressLine {
  readonly level: 'debug' | 'info' | 'warn';
  readonly text: string;
  readonly fields: object;
}

/** Decides what is worth a line where there is no terminal: each change of phase, and while it runs a line every few seconds. */
export class ProgressLines {
  readonly #everyMs: number;
  readonly #throughput: Throughput;
  #phase: JobPhase | undefined;
  #tasks = '';
  #attempt = 1;
  #lastLineAt = 0;

  constructor(everyMs = 5_000) {
    this.#everyMs = everyMs;
    this.#throughput = new Throughput(everyMs);
  }

  /** `now`: ms, monotonic. The end is left to the report of the end. */
  status(status: JobStatus, now: number): ProgressLine | undefined {
    this.#throughput.add(now, status.records.in);
    const tasks = status.tasks ? tasksText(status) : '';
    const isChanged = status.phase !== this.#phase || status.attempt !== this.#attempt || tasks !== this.#tasks;
    this.#tasks = tasks;
    this.#phase = status.phase;
    this.#attempt = status.attempt;
    if (isChanged) {
      this.#lastLineAt = now;
      return phaseLine(status);
    }
    if (status.phase !== 'running' || now - this.#lastLineAt < this.#everyMs) return undefined;
    this.#lastLineAt = now;
    return runningLine(status, this.#throughput.perSecond);
  }
}

function phaseLine(status: JobStatus): ProgressLine | undefined {
  const { job, phase, attempt, restoredFrom, error } = status;
  const fields = { event: 'phase', phase, attempt };
  switch (phase) {
    case 'recovering':
      return { level: 'info', text: `${job} recovering`, fields };
    case 'standby':
      return { level: 'info', text: `${job} standing by: other processes run its tasks`, fields };
    case 'running':
      if (status.tasks) {
        const tasks = status.tasks.map(({ task }) => task);
        const { workers } = status;
        const within = workers
          ? ` in ${counted(workers.filter(({ tasks }) => tasks.length > 0).length, 'worker')}`
          : '';
        return {
          level: 'info',
          text: `${job} running: tasks ${tasksText(status)}${within}`,
          fields: {
            ...fields,
            tasks,
            ...(workers ? { workers: workers.map(({ name, pid, tasks }) => ({ name, pid, tasks })) } : {}),
          },
        };
      }
      return restoredFrom
        ? {
            level: 'info',
            text: `${job} running from checkpoint #${restoredFrom.id}, taken at ${timeOfDay(restoredFrom.createdAt)}`,
            fields: { ...fields, checkpoint: restoredFrom.id },
          }
        : { level: 'info', text: `${job} running from the beginning`, fields };
    case 'restarting':
      // The job itself warns of it, with the delay.
      return {
        level: 'debug',
        text: `${job} restarting${error ? ` after ${error.code}: ${messageOf(error)}` : ''}`,
        fields: { ...fields, ...(error ? { code: error.code } : {}) },
      };
    case 'stopping':
      return { level: 'info', text: `${job} stopping: taking the final checkpoint`, fields };
    default:
      return undefined;
  }
}

function runningLine({ job, records, sources, actors }: JobStatus, perSecond: number | undefined): ProgressLine {
  const bounded = sources.filter(source => source.progress !== undefined && !source.isFinished);
  const done = bounded.map(source => `, ${percent(source.progress ?? 0)} of ${source.name}`).join('');
  const rate = perSecond === undefined ? '' : `, ${count(perSecond)}/s`;
  const keys = actors.reduce((sum, actor) => sum + actor.keys, 0);
  return {
    level: 'info',
    text: `${job} running: ${count(records.in)} in, ${count(records.out)} out${rate}${done}, ${count(keys)} keys`,
    fields: {
      event: 'progress',
      in: records.in,
      out: records.out,
      ...(perSecond === undefined ? {} : { perSecond: Math.round(perSecond) }),
      progress: Object.fromEntries(bounded.map(source => [source.name, source.progress])),
      keys,
    },
  };
}

/** A line for each checkpoint; one that was skipped because nothing had changed is for debugging only. */
export function checkpointLine(event: CheckpointEvent): ProgressLine {
  const { id, outcome, bytes, entries, durationMs, isFinal, reason, task, worker } = event;
  const fields = {
    ...{ event: 'checkpoint', ...(task === undefined ? {} : { task }), ...(worker === undefined ? {} : { worker }) },
    ...{ id, outcome, bytes, entries, durationMs: Math.round(durationMs), isFinal },
  };
  const of = (task === undefined ? '' : ` of task ${task}`) + (worker === undefined ? '' : ` in worker ${worker}`);
  switch (outcome) {
    case 'committed':
      return {
        level: 'info',
        text: `${isFinal ? 'final checkpoint' : 'checkpoint'} #${id}${of} committed: ${checkpointSize(event)}`,
        fields,
      };
    case 'skipped':
      return { level: 'debug', text: 'checkpoint skipped: nothing has changed', fields };
    case 'abandoned':
      return { level: 'warn', text: `checkpoint #${id}${of} abandoned: ${reason ?? 'no reason given'}`, fields };
  }
}
