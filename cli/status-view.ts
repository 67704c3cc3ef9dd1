import { messageOf } from '../lib/errors.ts';
import type { CheckpointEvent, JobPhase, JobStatus, SourceStatus, WorkerStatus } from '../lib/job/handle.ts';
import { redactText } from '../lib/observe/redact.ts';
import type { SourceTime } from '../lib/task/source-clock.ts';
import { bytes, count, counted, duration, percent, timeOfDay } from './quantities.ts';
import { type Look, type Part, padded, type Style, styledLine } from './styled-line.ts';

/** What the live status shows at one moment. */
export interface StatusView {
  readonly status: JobStatus;
  /** ms since the command began. */
  readonly elapsedMs: number;
  readonly perSecond?: number | undefined;
  /** Wall clock, ms since 1970. */
  readonly now: number;
  /** Said under everything else: that a stop is under way. */
  readonly notice?: string | undefined;
}

const symbols: Record<JobPhase, readonly [Style, string]> = {
  starting: ['dim', '○'],
  standby: ['cyan', '◇'],
  recovering: ['cyan', '○'],
  running: ['green', '●'],
  restarting: ['yellow', '↻'],
  stopping: ['yellow', '◌'],
  finished: ['green', '✔'],
  stopped: ['yellow', '■'],
  cancelled: ['yellow', '■'],
  failed: ['red', '✖'],
};

const mostSources = 8;

/** The live status as lines of at most `look.width` columns. */
export function statusLines(view: StatusView, look: Look): string[] {
  const { status } = view;
  const rows: (readonly [label: string, ...Part[]])[] = [];
  // What stands beside a bar in its line takes about 48 columns.
  const barWidth = Math.min(24, Math.max(4, look.width - 48));
  for (const source of status.sources.slice(0, mostSources)) {
    rows.push([source.name, ...sourceParts(source, status.phase, barWidth)]);
  }
  const hidden = status.sources.length - mostSources;
  if (hidden > 0) rows.push(['', ['dim', `and ${counted(hidden, 'source')} more`]]);
  rows.push(['records', ...recordParts(view)]);
  if (status.tasks) rows.push(['tasks', tasksText(status)]);
  rows.push(...workerRows(status.workers ?? []));
  if (status.actors.length > 0) rows.push(['keys', keysText(status)]);
  if (status.lastCheckpoint) rows.push(['checkpoint', ...checkpointParts(status.lastCheckpoint, view)]);
  if (status.restoredFrom) {
    const { id, createdAt } = status.restoredFrom;
    rows.push(['restored', `from checkpoint #${id}, taken at ${timeOfDay(createdAt)}`]);
  }
  if (status.error) {
    const { code } = status.error;
    rows.push(['error', ['red', `${code}: ${redactText(messageOf(status.error))}`]]);
  }
  const labelWidth = Math.min(24, Math.max(...rows.map(([label]) => label.length)));
  return [
    styledLine(headParts(view), look),
    ...rows.map(([label, ...parts]) =>
      styledLine(['  ', ['dim', padded(cut(label, labelWidth), labelWidth)], '  ', ...parts], look),
    ),
    ...(view.notice ? [styledLine([['yellow', view.notice]], look)] : []),
  ];
}

const mostWorkers = 8;

function workerRows(workers: readonly WorkerStatus[]): (readonly [label: string, ...Part[]])[] {
  const rows = workers.slice(0, mostWorkers).map((worker): readonly [string, ...Part[]] => {
    const [style, symbol] = symbols[worker.phase];
    return [`worker ${worker.name}`, [style, `${symbol} ${worker.phase}`], `  ${workerText(worker)}`];
  });
  const hidden = workers.length - mostWorkers;
  return hidden > 0 ? [...rows, ['', ['dim', `and ${counted(hidden, 'worker')} more`]]] : rows;
}

function workerText({ tasks, records, restarts, memoryBytes }: WorkerStatus): string {
  return [
    tasks.length === 0 ? 'no task' : `${tasks.length === 1 ? 'task' : 'tasks'} ${listed(tasks)}`,
    `${count(records.in)} in`,
    ...(memoryBytes === undefined ? [] : [bytes(memoryBytes)]),
    ...(restarts === 0 ? [] : [counted(restarts, 'restart')]),
  ].join(', ');
}

const mostTasks = 16;

function listed(names: readonly string[]): string {
  const more = names.length > mostTasks ? ` and ${names.length - mostTasks} more` : '';
  return `${names.slice(0, mostTasks).join(', ')}${more}`;
}

/** `0, 3, 6 of 12`, or that none is here. */
export function tasksText({ tasks = [], taskCount }: JobStatus): string {
  const all = taskCount === undefined ? '' : ` of ${taskCount}`;
  if (tasks.length === 0) return `none${all} here: other processes run them`;
  return `${listed(tasks.map(({ task }) => task))}${all}`;
}

function headParts({ status, elapsedMs }: StatusView): Part[] {
  const [style, symbol] = symbols[status.phase];
  const parts: Part[] = [
    [style, symbol],
    ' ',
    ['bold', status.job],
    '  ',
    [style, status.phase],
    `  ${elapsedMs < 999.5 ? `${(elapsedMs / 1_000).toFixed(1)} s` : duration(elapsedMs)}`,
  ];
  if (status.attempt > 1) parts.push('  ', ['yellow', counted(status.attempt - 1, 'restart')]);
  return parts;
}

function sourceParts(source: SourceStatus, phase: JobPhase, barWidth: number): Part[] {
  const parts: Part[] = [];
  if (source.progress !== undefined) {
    const part = source.isFinished ? 1 : Math.min(1, Math.max(0, source.progress));
    const filled = Math.floor(part * barWidth);
    parts.push(
      ['green', '█'.repeat(filled)],
      ['dim', '░'.repeat(barWidth - filled)],
      ` ${percent(part).padStart(5)}  `,
    );
  }
  parts.push(counted(source.records, 'record'));
  if (source.isFinished) parts.push(['green', '  finished']);
  else if (source.isPaused && phase === 'running') parts.push(['yellow', '  paused until sinks catch up']);
  if (source.time && !source.isFinished) parts.push(...timeParts(source.time));
  return parts;
}

function timeParts({ watermark, heldBackBy, ahead }: SourceTime): Part[] {
  const parts: Part[] = [];
  if (watermark !== undefined) parts.push(`  watermark ${instant(watermark)}`);
  if (heldBackBy !== undefined)
    parts.push([
      'dim',
      watermark === undefined ? `  no watermark yet: waits for ${heldBackBy}` : `, held by ${heldBackBy}`,
    ]);
  if (ahead.length > 0) parts.push(['yellow', `  ${ahead.join(', ')} waits for what is behind`]);
  return parts;
}

/** A number that is no time of the calendar (seconds as ms do no harm, nanoseconds do) is shown as it is. */
function instant(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

function recordParts({ status, perSecond }: StatusView): Part[] {
  const { in: taken, out } = status.records;
  const rate = perSecond === undefined ? '' : `, ${count(perSecond)}/s`;
  return [`${count(taken)} in, ${count(out)} out${rate}`];
}

function keysText({ actors }: JobStatus): string {
  return actors.map(actor => `${count(actor.keys)} in ${actor.name}`).join(', ');
}

function checkpointParts(event: CheckpointEvent, { now }: StatusView): Part[] {
  const age = now - event.at;
  const ago = age < 1_000 ? 'just now' : `${duration(age)} ago`;
  switch (event.outcome) {
    case 'committed':
      return [`#${event.id} ${ago}: ${checkpointSize(event)}`];
    case 'skipped':
      return [['dim', `skipped ${ago}: nothing has changed`]];
    case 'abandoned':
      return [['yellow', `#${event.id} abandoned ${ago}: ${event.reason ?? 'no reason given'}`]];
  }
}

/** '23 kB, 182 entries, in 4 ms'. */
export function checkpointSize({ bytes: size, entries, durationMs }: CheckpointEvent): string {
  return `${bytes(size)}, ${count(entries)} ${entries === 1 ? 'entry' : 'entries'}, in ${duration(durationMs)}`;
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}
