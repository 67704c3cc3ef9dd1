import type { Manifest } from '../lib/checkpoint/manifest.ts';
import type { StoredManifest, TaskRef } from '../lib/checkpoint/snapshot-store.ts';
import { bytes, count, duration } from './quantities.ts';
import { type Column, table } from './table.ts';

/** One stored manifest as the command line shows it; with `--json` an array of these. */
export interface ListedCheckpoint {
  readonly job: string;
  readonly task: string;
  readonly id: number;
  readonly token: number;
  readonly kind: Manifest['kind'];
  /** Whether it counts; otherwise it was only prepared. */
  readonly isConfirmed: boolean;
  readonly isJobFinished: boolean;
  /** Written by a clean stop. */
  readonly isClosed: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly ageMs: number;
  /** Size of its segments in bytes, those that it shares with others included. */
  readonly bytes: number;
  readonly keys: number;
  readonly segments: number;
}

export function listed({ manifest, confirmed }: StoredManifest, now: number): ListedCheckpoint {
  const actors = Object.values(manifest.actors);
  const segments = actors.flatMap(actor => actor.segments);
  return {
    job: manifest.job,
    task: manifest.task,
    id: manifest.id,
    token: manifest.token,
    kind: manifest.kind,
    isConfirmed: confirmed,
    isJobFinished: manifest.jobFinished,
    isClosed: manifest.closed,
    createdAt: new Date(manifest.createdAt).toISOString(),
    ageMs: Math.max(0, now - manifest.createdAt),
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    keys: actors.reduce((sum, actor) => sum + actor.keys, 0),
    segments: segments.length,
  };
}

const columns: readonly Column<ListedCheckpoint>[] = [
  { title: 'ID', align: 'right', text: row => String(row.id) },
  { title: 'TOKEN', align: 'right', text: row => String(row.token) },
  { title: 'AGE', align: 'right', text: row => duration(row.ageMs) },
  { title: 'STATE', text: row => state(row) },
  { title: 'SIZE', align: 'right', text: row => bytes(row.bytes) },
  { title: 'KEYS', align: 'right', text: row => count(row.keys) },
  { title: 'SEGMENTS', align: 'right', text: row => count(row.segments) },
];

function state(row: ListedCheckpoint): string {
  const words: string[] = [row.isConfirmed ? 'confirmed' : 'prepared'];
  if (row.kind === 'savepoint') words.push('savepoint');
  if (row.isJobFinished) words.push('job finished');
  else if (row.isClosed) words.push('clean stop');
  return words.join(', ');
}

/** A heading and a table for each task; newest checkpoint first. */
export function checkpointLines(task: TaskRef, rows: readonly ListedCheckpoint[]): string[] {
  const title = `${task.job} / ${task.task}`;
  if (rows.length === 0) return [title, '  no checkpoint yet'];
  return [
    title,
    ...table(
      columns,
      [...rows].sort((a, b) => b.id - a.id || b.token - a.token),
    ).map(line => `  ${line}`),
  ];
}
