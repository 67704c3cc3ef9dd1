import { inspect } from 'node:util';
import type { ActorDifference, KeyDifference, Manifest, Savepoint } from '../lib/index.ts';
import { bytes, count, duration } from './quantities.ts';
import { type Column, table } from './table.ts';

/** A savepoint for programs. */
export function savepointJson({ job, name, createdAt, where, tasks }: Savepoint): object {
  return {
    job,
    name,
    createdAt: new Date(createdAt).toISOString(),
    where,
    tasks: tasks.map(({ manifest }) => ({
      task: manifest.task,
      checkpoint: manifest.id,
      token: manifest.token,
      isJobFinished: manifest.jobFinished,
      isClosed: manifest.closed,
      bytes: sizeOf(manifest),
      ...(manifest.commitPoint && { commitPoint: manifest.commitPoint }),
      ...(manifest.origin && { origin: manifest.origin }),
      actors: Object.entries(manifest.actors).map(([actor, { version, keys, segments }]) => ({
        name: actor,
        version,
        keys,
        bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
        segments: segments.length,
      })),
      sources: manifest.sources,
      sinks: manifest.sinks,
      finished: manifest.finished,
    })),
  };
}

const sizeOf = ({ actors }: Manifest): number =>
  Object.values(actors)
    .flatMap(({ segments }) => segments)
    .reduce((sum, segment) => sum + segment.bytes, 0);
const keysOf = ({ actors }: Manifest): number => Object.values(actors).reduce((sum, { keys }) => sum + keys, 0);

/** One line for each savepoint, newest first. */
export function savepointLines(savepoints: readonly Savepoint[], now: number): string[] {
  const sum = ({ tasks }: Savepoint, of: (manifest: Manifest) => number) =>
    tasks.reduce((total, { manifest }) => total + of(manifest), 0);
  const columns: readonly Column<Savepoint>[] = [
    { title: 'JOB', text: ({ job }) => job },
    { title: 'SAVEPOINT', text: ({ name }) => name },
    { title: 'CHECKPOINT', align: 'right', text: ({ tasks }) => tasks.map(({ manifest }) => manifest.id).join(', ') },
    { title: 'AGE', align: 'right', text: ({ createdAt }) => duration(Math.max(0, now - createdAt)) },
    { title: 'SIZE', align: 'right', text: savepoint => bytes(sum(savepoint, sizeOf)) },
    { title: 'KEYS', align: 'right', text: savepoint => count(sum(savepoint, keysOf)) },
    { title: '', text: ({ tasks }) => tasks.map(({ manifest }) => endOf(manifest)).find(text => text !== '') ?? '' },
  ];
  return table(columns, savepoints.toReversed());
}

const endOf = ({ jobFinished, closed }: Manifest): string =>
  jobFinished ? 'job finished' : closed ? 'clean stop' : '';

/** All that a savepoint holds but the state itself. */
export function savepointDetails(savepoint: Savepoint, now: number): string[] {
  const { job, name, createdAt, where } = savepoint;
  const age = duration(Math.max(0, now - createdAt));
  return [
    `${name} of ${job}, ${age} old (${new Date(createdAt).toISOString()}), in ${where}`,
    ...savepoint.tasks.flatMap(({ manifest }) => taskDetails(manifest).map(line => `  ${line}`)),
  ];
}

function taskDetails(manifest: Manifest): string[] {
  const { task, id, token, commitPoint, origin } = manifest;
  const end = endOf(manifest);
  const decided = commitPoint && commitPoint.kind !== 'store' ? `, decided by ${commitPoint.kind}` : '';
  return [
    `${task}: checkpoint ${id} (token ${token})${decided}${end ? `, ${end}` : ''}`,
    ...(origin ? [`  descends from checkpoint ${origin.id} of ${origin.job}`] : []),
    ...table(parts, partsOf(manifest)).map(line => `  ${line}`),
  ];
}

interface Part {
  readonly kind: string;
  readonly name: string;
  readonly version?: number;
  readonly keys?: number;
  readonly size?: number;
  readonly note: string;
}

const parts: readonly Column<Part>[] = [
  { title: 'KIND', text: ({ kind }) => kind },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'VERSION', align: 'right', text: ({ version }) => (version === undefined ? '' : String(version)) },
  { title: 'KEYS', align: 'right', text: ({ keys }) => (keys === undefined ? '' : count(keys)) },
  { title: 'SIZE', align: 'right', text: ({ size }) => (size === undefined ? '' : bytes(size)) },
  { title: '', text: ({ note }) => note },
];

function partsOf({ actors, sources, sinks }: Manifest): Part[] {
  return [
    ...Object.entries(actors).map(([name, { version, keys, segments }]) => ({
      kind: 'actor',
      name,
      version,
      keys,
      size: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      note: `${count(segments.length)} segment${segments.length === 1 ? '' : 's'}`,
    })),
    ...Object.entries(sources).map(([name, { position, finished, watermark }]) => ({
      kind: 'source',
      name,
      note: [
        ...(finished ? ['finished'] : []),
        ...(watermark === null ? [] : [`watermark ${watermark}`]),
        cut(JSON.stringify(position), 300),
      ].join(', '),
    })),
    ...Object.entries(sinks).map(([name, handle]) => ({
      kind: 'sink',
      name,
      note: handle === null ? 'holds nothing' : 'says what its checkpoint makes visible',
    })),
  ];
}

/** What differs, actor by actor. */
export function diffLines(differences: readonly ActorDifference[]): string[] {
  if (differences.length === 0) return ['Neither has an actor.'];
  const columns: readonly Column<ActorDifference>[] = [
    { title: 'ACTOR', text: ({ actor }) => actor },
    { title: 'VERSION', text: ({ version: { before, after } }) => versions(before, after) },
    { title: 'ADDED', align: 'right', text: ({ added }) => count(added) },
    { title: 'REMOVED', align: 'right', text: ({ removed }) => count(removed) },
    { title: 'CHANGED', align: 'right', text: ({ changed }) => count(changed) },
    { title: 'SAME', align: 'right', text: ({ same }) => count(same) },
  ];
  return [
    ...table(columns, differences),
    ...differences.flatMap(({ actor, examples, added, removed, changed }) => [
      ...(examples.length > 0 ? ['', `${actor}:`] : []),
      ...examples.map(example => `  ${difference(example)}`),
      ...(added + removed + changed > examples.length
        ? [`  and ${count(added + removed + changed - examples.length)} more`]
        : []),
    ]),
  ];
}

function versions(before: number | undefined, after: number | undefined): string {
  if (before === undefined) return `only in the second, ${after}`;
  if (after === undefined) return `only in the first, ${before}`;
  return before === after ? String(before) : `${before} → ${after}`;
}

function difference({ change, key, state, entry, before, after }: KeyDifference): string {
  const sign = change === 'added' ? '+' : change === 'removed' ? '-' : '~';
  const name = [
    key === undefined ? '(no key)' : shown(key),
    ...(state === undefined ? [] : [state, ...(entry === undefined ? [] : [shown(entry)])]),
  ].join(' ');
  if (change === 'changed') return `${sign} ${name}: ${shown(before)} → ${shown(after)}`;
  return `${sign} ${name}: ${shown(change === 'added' ? after : before)}`;
}

const shown = (value: unknown): string => cut(inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4 }), 120);
const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** For JSON, which has no bigint, Map, Set or bytes. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part: unknown) =>
      typeof part === 'bigint' || part instanceof Map || part instanceof Set || ArrayBuffer.isView(part)
        ? inspect(part)
        : part,
    2,
  );
}
