import { messageOf } from '../lib/errors.ts';
import type { ActorReport, ConnectorReport, StateReport } from '../lib/index.ts';
import { count, duration } from './quantities.ts';
import { type Column, table } from './table.ts';

interface Row {
  readonly kind: 'actor' | 'source' | 'sink';
  readonly report: ConnectorReport | ActorReport;
  readonly actor?: ActorReport;
}

/** What `--check` has found of the stored state, as a table and what is to be said about it. */
export function stateReportLines(report: StateReport, now: number): string[] {
  const { job, task, checkpoint, actors, sources, sinks } = report;
  if (!checkpoint) return [];
  const age = duration(Math.max(0, now - checkpoint.createdAt));
  const title = `${job} / ${task} against checkpoint ${checkpoint.id}, ${age} old`;
  if (checkpoint.isJobFinished) return [`${title}: the job has finished, and a start has nothing left to do`];
  const rows: Row[] = [
    ...actors.map(actor => ({ kind: 'actor', report: actor, actor }) as const),
    ...sources.map(source => ({ kind: 'source', report: source }) as const),
    ...sinks.map(sink => ({ kind: 'sink', report: sink }) as const),
  ];
  const columns = actors.some(({ migrated }) => migrated !== undefined)
    ? [...first, migratedColumn, states]
    : [...first, states];
  const notes = checkpoint.mayBeOvertaken
    ? ['  A newer checkpoint is prepared. What decides about it was not asked: a start may go on from that one.']
    : [];
  const others = actors.flatMap(({ name, problem }) =>
    problem && problem !== report.problem ? [`  ${name}: ${messageOf(problem)}`] : [],
  );
  return [title, ...table(columns, rows).map(line => `  ${line}`), ...notes, ...others];
}

/** The same for programs. */
export function stateReportJson(report: StateReport): object {
  const { task, checkpoint, actors, sources, sinks, problem } = report;
  return {
    isReady: !problem,
    task,
    ...(checkpoint && { checkpoint: { ...checkpoint, createdAt: new Date(checkpoint.createdAt).toISOString() } }),
    actors: actors.map(({ problem: own, ...actor }) => ({ ...actor, ...(own && { problem: shown(own) }) })),
    sources,
    sinks,
    ...(problem && { problem: shown(problem) }),
  };
}

const shown = ({ code, message }: NonNullable<StateReport['problem']>) => ({ code, message });

const first: readonly Column<Row>[] = [
  { title: 'KIND', text: ({ kind }) => kind },
  { title: 'NAME', text: ({ report }) => report.name },
  { title: 'STATE', text: ({ report }) => report.change },
  { title: 'VERSION', text: ({ actor }) => (actor ? versions(actor) : '') },
  { title: 'KEYS', align: 'right', text: ({ actor }) => (actor && actor.change !== 'new' ? count(actor.keys) : '') },
];

const migratedColumn: Column<Row> = {
  title: 'MIGRATED',
  align: 'right',
  text: ({ actor }) => (actor?.migrated === undefined ? '' : count(actor.migrated)),
};

const states: Column<Row> = { title: '', text: ({ actor }) => (actor ? details(actor) : '') };

function versions({ storedVersion, version }: ActorReport): string {
  if (storedVersion === undefined || version === undefined || storedVersion === version) {
    return String(storedVersion ?? version);
  }
  return `${storedVersion} → ${version}`;
}

function details({ change, states, hasCodec, problem }: ActorReport): string {
  const changed = states
    .filter(state => state.change !== 'same' && (state.change !== 'new' || change !== 'new'))
    .map(({ name, change: of, storedKind, kind }) =>
      of === 'changed' ? `"${name}" ${storedKind} → ${kind}` : `"${name}" ${of}`,
    );
  return [...changed, ...(hasCodec ? ['codec'] : []), ...(problem ? ['refused'] : [])].join(', ');
}
