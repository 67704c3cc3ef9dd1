import { entryKinds } from '../../lib/actor/actor-state.ts';
import { keyOf, type MapKey } from '../../lib/actor/key.ts';
import { decodeKey } from '../../lib/actor/key-codec.ts';
import { entryOf } from '../../lib/actor/keyed-entries.ts';
import { TimerQueue } from '../../lib/actor/timer-queue.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { openSegment, readEntries } from '../../lib/checkpoint/segment.ts';
import type { TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { decodeStored, Stamped } from '../../lib/checkpoint/stamped-value.ts';
import { decodeValue } from '../../lib/checkpoint/value-codec.ts';
import type { Key } from '../../lib/stream/elements.ts';

type KeyOrNone = Key | undefined;

/** What a checkpoint holds of an actor; a value that expires is `{ value, at, on }`. */
export interface StoredActor {
  readonly version: number;
  readonly segments: readonly string[];
  readonly values: readonly (readonly [KeyOrNone, unknown])[];
  /** State, kind, key, entry, value. */
  readonly entries: readonly (readonly [string, string, KeyOrNone, KeyOrNone, unknown])[];
  /** Number, request, key, event time. */
  readonly requests: readonly (readonly [KeyOrNone, ...unknown[]])[];
  readonly event: readonly (readonly [KeyOrNone, number])[];
  readonly processing: readonly (readonly [KeyOrNone, number])[];
}

/** Everything that a checkpoint holds of each actor. */
export async function storedActors(task: TaskStore, manifest: Manifest): Promise<Record<string, StoredActor>> {
  const actors: Record<string, StoredActor> = {};
  for (const name of Object.keys(manifest.actors).sort()) actors[name] = await storedActor(task, manifest, name);
  return actors;
}

/** The segments of each actor without compression, hexadecimal. */
export async function rawSegments(task: TaskStore, manifest: Manifest): Promise<Record<string, string[]>> {
  const raws: Record<string, string[]> = {};
  for (const [name, { segments }] of Object.entries(manifest.actors)) {
    raws[name] = [];
    for (const segment of segments) {
      const raw = await openSegment(
        (await task.getSegment(segment.name)) as Uint8Array,
        segment.checksum,
        segment.name,
      );
      raws[name].push(Buffer.from(raw).toString('hex'));
    }
  }
  return raws;
}

async function storedActor(task: TaskStore, manifest: Manifest, name: string): Promise<StoredActor> {
  const { version, segments } = manifest.actors[name] as Manifest['actors'][string];
  const tables = new Map<number, Map<MapKey, unknown>>();
  const timers = { [entryKinds.event]: new TimerQueue(), [entryKinds.processing]: new TimerQueue() };
  for (const { name: segment, checksum } of segments) {
    const raw = await openSegment((await task.getSegment(segment)) as Uint8Array, checksum, segment);
    readEntries(raw, (kind, buffer, keyStart, keyEnd, valueStart, valueEnd) => {
      const isDeleted = valueEnd < 0;
      if (kind === entryKinds.event || kind === entryKinds.processing) {
        const queue = timers[kind as 1 | 2];
        if (isDeleted) queue.restoreDeletion(buffer, keyStart, keyEnd);
        else queue.restore(buffer, keyStart, keyEnd);
        return;
      }
      const table = tables.get(kind) ?? new Map<MapKey, unknown>();
      tables.set(kind, table);
      const key = decodeKey(buffer, keyStart, keyEnd);
      if (isDeleted) table.delete(key);
      else {
        const decode = kind === entryKinds.request ? decodeValue : decodeStored;
        table.set(key, shown(decode(buffer, valueStart, valueEnd)));
      }
    });
  }
  const table = (kind: number) => [...(tables.get(kind) ?? [])];
  const times = (queue: TimerQueue) => [...queue].map(({ key, time }) => [keyOf(key), time] as const);
  return {
    version,
    segments: segments.map(({ kind }) => kind),
    values: table(entryKinds.state).map(([key, value]) => [keyOf(key), value]),
    entries: table(entryKinds.entry).map(([entryName, value]) => {
      const { state, kind, key, entry } = entryOf(entryName);
      return [state, kind, keyOf(key), keyOf(entry), value] as const;
    }),
    requests: table(entryKinds.request).map(([id, request]) => [keyOf(id), ...(request as unknown[])] as const),
    event: times(timers[entryKinds.event]),
    processing: times(timers[entryKinds.processing]),
  };
}

function shown(value: unknown): unknown {
  return value instanceof Stamped ? { value: value.value, at: value.time, on: value.clock } : value;
}
