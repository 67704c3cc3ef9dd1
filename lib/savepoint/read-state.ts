import { entryKinds } from '../actor/actor-state.ts';
import { keyOf } from '../actor/key.ts';
import { decodeKey } from '../actor/key-codec.ts';
import { entryOf } from '../actor/keyed-entries.ts';
import type { StateKindName } from '../actor/state-kind.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { openSegment, readEntries } from '../checkpoint/segment.ts';
import { decodeStored, type StampClock, Stamped } from '../checkpoint/stamped-value.ts';
import { SavepointError } from '../errors.ts';
import type { Key } from '../stream/elements.ts';
import { segmentBytes } from './copy-segments.ts';
import type { SavedTask } from './savepoint.ts';

/** One entry of the state of an actor. */
export interface SavedEntry {
  /** `undefined` for an un-keyed actor. */
  readonly key: Key | undefined;
  /** As it is stored: what the actor's codec made of it, in the version of the savepoint. */
  readonly value: unknown;
  /** Of a declared state (`states`): its name, its kind, and the entry of a map or the index of a list. */
  readonly state?: string;
  readonly kind?: StateKindName;
  readonly entry?: Key | undefined;
  /** Of a state that expires: the time that its life is counted from, in ms on this clock. */
  readonly since?: { readonly time: number; readonly clock: StampClock };
}

/** An entry as its bytes lie in a segment. */
export interface RawEntry {
  readonly kind: number;
  readonly segment: Uint8Array;
  readonly key: readonly [start: number, end: number];
  readonly value: readonly [start: number, end: number];
}

/** What a savepoint holds of an actor; a `SavepointError` that names those that it has when there is none. */
export function savedActor({ manifest }: SavedTask, actor: string): Manifest['actors'][string] {
  const found = Object.hasOwn(manifest.actors, actor) ? manifest.actors[actor] : undefined;
  if (found) return found;
  const known = Object.keys(manifest.actors).join(', ') || 'none';
  throw new SavepointError(`The savepoint of job "${manifest.job}" has no actor "${actor}"; it has: ${known}.`);
}

/**
 * The entries of an actor that count, newest segment first. In memory are one segment at a time and the keys of those behind the
 * last full one, which hide what lies below.
 */
export async function* rawEntries(task: SavedTask, actor: string): AsyncGenerator<RawEntry> {
  const { segments } = savedActor(task, actor);
  const hidden = new Map<number, Set<string>>();
  for (const segment of segments.toReversed()) {
    const bytes = await segmentBytes(task, segment, actor);
    const raw = await openSegment(bytes, segment.checksum, `${segment.name} of the actor "${actor}"`);
    const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    const found: RawEntry[] = [];
    const own: [number, string][] = [];
    readEntries(raw, (kind, _, keyStart, keyEnd, valueStart, valueEnd) => {
      const key = buffer.toString('latin1', keyStart, keyEnd);
      if (!hidden.get(kind)?.has(key) && valueEnd >= 0) {
        found.push({ kind, segment: raw, key: [keyStart, keyEnd], value: [valueStart, valueEnd] });
      }
      // Segments of one full snapshot have no key twice.
      if (segment.kind === 'delta') own.push([kind, key]);
    });
    for (const [kind, key] of own) {
      const keys = hidden.get(kind) ?? new Set();
      hidden.set(kind, keys.add(key));
    }
    yield* found;
  }
}

/**
 * The state of an actor in a savepoint, key by key, in no order. Values come as they are stored: `decode` of the actor's codec is
 * for the caller to apply. Timers and requests are left out.
 */
export async function* readState(task: SavedTask, actor: string): AsyncGenerator<SavedEntry> {
  for await (const { kind, segment, key, value } of rawEntries(task, actor)) {
    if (kind === entryKinds.state) {
      yield { key: keyOf(decodeKey(segment, ...key)), ...unstamped(decodeStored(segment, ...value)) };
    } else if (kind === entryKinds.entry) {
      const { state, kind: of, key: owner, entry } = entryOf(decodeKey(segment, ...key));
      const isSingle = of === 'value' || of === 'aggregating';
      yield {
        key: keyOf(owner),
        state,
        kind: of,
        ...(!isSingle && { entry: keyOf(entry) }),
        ...unstamped(decodeStored(segment, ...value)),
      };
    }
  }
}

function unstamped(stored: unknown): Pick<SavedEntry, 'value' | 'since'> {
  if (!(stored instanceof Stamped)) return { value: stored };
  return { value: stored.value, since: { time: stored.time, clock: stored.clock } };
}
