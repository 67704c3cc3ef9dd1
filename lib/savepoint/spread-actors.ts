import { randomBytes } from 'node:crypto';
import { entryKinds } from '../actor/actor-state.ts';
import { keyOf, type MapKey } from '../actor/key.ts';
import { decodeKey, encodeKey } from '../actor/key-codec.ts';
import { entryOf } from '../actor/keyed-entries.ts';
import type { StoredRequest } from '../actor/requests/requests.ts';
import { parseName } from '../actor/timer-name.ts';
import type { ActorEntry, SegmentRef } from '../checkpoint/manifest.ts';
import { type RawSegment, SegmentWriter, sealSegment } from '../checkpoint/segment.ts';
import { segmentName, type TaskStore } from '../checkpoint/snapshot-store.ts';
import { decodeValue } from '../checkpoint/value-codec.ts';
import { SavepointError } from '../errors.ts';
import type { KeyOwner } from '../scale/key-owner.ts';
import { type RawEntry, rawEntries } from './read-state.ts';
import type { SavedTask } from './savepoint.ts';

export interface ActorsTarget {
  /** The task that is filled. */
  readonly index: number;
  readonly store: Pick<TaskStore, 'putSegment'>;
  readonly token: number;
  /** Of the checkpoint that will name the segments. */
  readonly id: number;
  /** Who has the keys of an actor; `undefined`: the job has no such actor. */
  ownerOf(actor: string): { readonly owner: KeyOwner | undefined } | undefined;
  /** Whether state without a key is dropped, instead of refused. */
  readonly allowsDropped: boolean;
}

/**
 * Writes the state that one task has of all actors of a savepoint, out of the segments of all of its tasks. In memory are one
 * segment that is read, one that is written, and for each actor the keys that the task gets.
 */
export async function spreadActors(
  tasks: readonly SavedTask[],
  target: ActorsTarget,
): Promise<Record<string, ActorEntry>> {
  const names = new Set(tasks.flatMap(({ manifest }) => Object.keys(manifest.actors)));
  const actors: Record<string, ActorEntry> = {};
  for (const name of names) actors[name] = await spreadActor(name, tasks, target);
  return actors;
}

async function spreadActor(actor: string, tasks: readonly SavedTask[], target: ActorsTarget): Promise<ActorEntry> {
  const having = tasks.filter(({ manifest }) => Object.hasOwn(manifest.actors, actor));
  const refuse = (what: string) =>
    new SavepointError(`The state of the actor "${actor}" cannot be spread over other tasks: ${what}`, {
      context: { operator: actor },
    });
  const versions = new Set(having.map(({ manifest }) => manifest.actors[actor]?.version ?? 0));
  const [version = 1] = versions;
  if (versions.size > 1) {
    throw refuse(
      `it has versions ${[...versions].join(' and ')} in different tasks. Start the job as it was, and take another savepoint.`,
    );
  }
  const found = target.ownerOf(actor);
  // Refused or dropped later, by its name.
  if (!found) return { version, keys: 0, segments: [] };
  const segments: SegmentRef[] = [];
  const writer = new SegmentWriter();
  const put = async (raws: readonly RawSegment[]) => {
    for (const { raw, entries } of raws) {
      const { bytes, checksum } = await sealSegment(raw, { compression: 'zstd' });
      const name = segmentName(target.id, target.token, randomBytes(8).toString('hex'));
      await target.store.putSegment(target.token, name, bytes);
      segments.push({ name, kind: 'full', bytes: bytes.byteLength, entries, checksum });
    }
  };
  /** Which task each key comes from. */
  const homes = new Map<MapKey, number>();
  const requests: { task: number; id: number; after: number; bytes: Uint8Array }[] = [];
  const isOurs = (key: MapKey, task: number): boolean => {
    const given = keyOf(key);
    if (given === undefined) {
      if (target.allowsDropped) return false;
      throw refuse(
        'it has state without a key, which belongs to no partition. Set allowDroppedState to begin that empty, or run the job as it was.',
      );
    }
    const owner = found.owner?.(given);
    if (owner === undefined) {
      throw refuse(
        `nothing says which task has the records of a key (${String(given)}): its key was chosen behind a repartition, or the source has the ` +
          'option partitionOf: "unknown". Put repartition() in front of it, or run the job as one task.',
      );
    }
    if (owner !== target.index) return false;
    const home = homes.get(key);
    if (home !== undefined && home !== task) {
      throw refuse(
        `the key ${String(given)} has state in task ${tasks[home]?.manifest.task} and in task ${tasks[task]?.manifest.task}, which cannot be put together.`,
      );
    }
    homes.set(key, task);
    return true;
  };
  let keys = 0;
  for (const [at, task] of tasks.entries()) {
    if (!having.includes(task)) continue;
    for await (const entry of rawEntries(task, actor)) {
      const request = entry.kind === entryKinds.request ? requestOf(entry) : undefined;
      if (!isOurs(request ? request.key : keyOfEntry(entry), at)) continue;
      if (request) {
        requests.push({ task: at, ...request });
        continue;
      }
      if (entry.kind === entryKinds.state) keys++;
      writer.putRange(
        entry.kind,
        { bytes: entry.segment, start: entry.key[0], end: entry.key[1] },
        { bytes: entry.segment, start: entry.value[0], end: entry.value[1] },
      );
      await put(writer.takeClosed());
    }
  }
  // Numbered anew: watermarks wait for those before them, and each task's own order is kept.
  requests.sort((a, b) => (a.after === b.after ? a.task - b.task || a.id - b.id : a.after - b.after));
  for (const [id, { bytes }] of requests.entries()) writer.put(entryKinds.request, encodeKey(id), bytes);
  await put(writer.finish());
  return { version, keys, segments };
}

function keyOfEntry({ kind, segment, key }: RawEntry): MapKey {
  const name = decodeKey(segment, ...key);
  if (kind === entryKinds.state) return name;
  return kind === entryKinds.entry ? entryOf(name).key : parseName(name).key;
}

function requestOf({ segment, key, value }: RawEntry): { key: MapKey; id: number; after: number; bytes: Uint8Array } {
  const [, of, , after] = decodeValue(segment, ...value) as StoredRequest;
  return {
    key: of,
    id: decodeKey(segment, ...key) as number,
    after,
    bytes: Uint8Array.from(segment.subarray(...value)),
  };
}
