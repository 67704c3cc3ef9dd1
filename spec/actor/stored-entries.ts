import { entryKinds } from '../../lib/actor/actor-state.ts';
import { keyOf, type MapKey } from '../../lib/actor/key.ts';
import { decodeKey } from '../../lib/actor/key-codec.ts';
import { entryOf } from '../../lib/actor/keyed-entries.ts';
import { TimerQueue } from '../../lib/actor/timer-queue.ts';
import type { Manifest, SegmentRef } from '../../lib/checkpoint/manifest.ts';
import { openSegment, readEntries } from '../../lib/checkpoint/segment.ts';
import type { StoredManifest, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { decodeValue } from '../../lib/checkpoint/value-codec.ts';
import { memoryStore, type SnapshotStore } from '../../lib/index.ts';
import type { Key } from '../../lib/stream/elements.ts';

/** A memory store, and what a job has committed in it: the test job of `marbles` unless named. */
export function inspectedStore(store: SnapshotStore = memoryStore(), job = 'marbles') {
  const task = store.task({ job, task: 'main' });
  const committed = (): Manifest[] =>
    (task.manifests() as readonly StoredManifest[]).filter(stored => stored.confirmed).map(({ manifest }) => manifest);
  return {
    store,
    /** Committed manifests, oldest first. */
    committed,
    /** What the newest committed checkpoint holds of an actor, its chain of segments read from the start. */
    stored: (actor: string): StoredState => readChain(task, committed().at(-1)?.actors[actor]?.segments ?? []),
    /** How many entries of each kind the newest committed checkpoint holds of an actor, and how many its newest segment has. */
    counts: (actor: string): { readonly held: EntryCounts; readonly written: EntryCounts } =>
      countEntries(task, committed().at(-1)?.actors[actor]?.segments ?? []),
    /** Kinds of the segments of an actor in each committed checkpoint. */
    kinds: (actor: string): string[][] =>
      committed().map(manifest => (manifest.actors[actor]?.segments ?? []).map(({ kind }) => kind)),
  };
}

export interface StoredState {
  readonly values: readonly (readonly [Key | undefined, unknown])[];
  /** Of map states: the map, the key, the entry in it, its value. */
  readonly entries: readonly (readonly [string, Key | undefined, Key | undefined, unknown])[];
  readonly event: readonly (readonly [Key | undefined, number])[];
  readonly processing: readonly (readonly [Key | undefined, number])[];
}

export type EntryCounts = Readonly<Record<keyof typeof entryKinds, number>>;

function countEntries(
  task: TaskStore,
  segments: readonly SegmentRef[],
): { readonly held: EntryCounts; readonly written: EntryCounts } {
  const held = new Map<string, number>();
  let written: readonly number[] = [];
  for (const { name, checksum } of segments) {
    const raw = openSegment(task.getSegment(name) as Uint8Array, checksum, name, { sync: true }) as Uint8Array;
    const kinds: number[] = [];
    readEntries(raw, (kind, buffer, keyStart, keyEnd, _, valueEnd) => {
      const entry = `${kind} ${Buffer.from(buffer.subarray(keyStart, keyEnd)).toString('hex')}`;
      if (valueEnd < 0) held.delete(entry);
      else held.set(entry, kind);
      kinds.push(kind);
    });
    written = kinds;
  }
  return { held: countKinds([...held.values()]), written: countKinds(written) };
}

function countKinds(kinds: readonly number[]): EntryCounts {
  const names = Object.entries(entryKinds);
  return Object.fromEntries(names.map(([name, kind]) => [name, kinds.filter(k => k === kind).length])) as EntryCounts;
}

function readChain(task: TaskStore, segments: readonly SegmentRef[]): StoredState {
  const values = new Map<Key | undefined, unknown>();
  const entries = new Map<MapKey, unknown>();
  const timers = { [entryKinds.event]: new TimerQueue(), [entryKinds.processing]: new TimerQueue() };
  for (const { name, checksum } of segments) {
    const raw = openSegment(task.getSegment(name) as Uint8Array, checksum, name, { sync: true }) as Uint8Array;
    readEntries(raw, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
      const isDeleted = valueEnd < 0;
      if (kind === entryKinds.state) {
        const key = keyOf(decodeKey(buffer, keyStart, keyEnd));
        if (isDeleted) values.delete(key);
        else values.set(key, decodeValue(buffer, valueStart, valueEnd));
      } else if (kind === entryKinds.entry) {
        const name = decodeKey(buffer, keyStart, keyEnd);
        if (isDeleted) entries.delete(name);
        else entries.set(name, decodeValue(buffer, valueStart, valueEnd));
      } else if (isDeleted) timers[kind as 1 | 2].restoreDeletion(buffer, keyStart, keyEnd);
      else timers[kind as 1 | 2].restore(buffer, keyStart, keyEnd);
    });
  }
  const shown = (queue: TimerQueue) => [...queue].map(({ key, time }) => [keyOf(key), time] as const);
  return {
    values: [...values],
    entries: [...entries].map(([name, value]) => {
      const { state, key, entry } = entryOf(name);
      return [state, keyOf(key), keyOf(entry), value] as const;
    }),
    event: shown(timers[entryKinds.event]),
    processing: shown(timers[entryKinds.processing]),
  };
}
