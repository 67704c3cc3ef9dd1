import { createHash } from 'node:crypto';
import { entryKinds } from '../actor/actor-state.ts';
import { keyOf } from '../actor/key.ts';
import { decodeKey } from '../actor/key-codec.ts';
import { entryOf } from '../actor/keyed-entries.ts';
import { decodeStored, Stamped } from '../checkpoint/stamped-value.ts';
import type { Key } from '../stream/elements.ts';
import { type RawEntry, rawEntries } from './read-state.ts';
import type { SavedTask, Savepoint } from './savepoint.ts';

/** A key whose state is not the same in both. */
export interface KeyDifference {
  readonly change: 'added' | 'removed' | 'changed';
  readonly key: Key | undefined;
  /** Of a declared state: its name, and the entry of a map or list. */
  readonly state?: string;
  readonly entry?: Key | undefined;
  /** As stored; where it is there. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** An actor in two savepoints. */
export interface ActorDifference {
  readonly task: string;
  readonly actor: string;
  /** Versions, where it is there. */
  readonly version: { readonly before?: number; readonly after?: number };
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** The first differences. */
  readonly examples: readonly KeyDifference[];
}

export interface DiffOptions {
  /** Only this actor. */
  readonly actor?: string | undefined;
  /** How many differences of each actor are shown, default 10. */
  readonly examples?: number;
}

/**
 * Compares two savepoints, or checkpoints, by key: values are the same when they are stored as the same bytes. In memory are a digest
 * for each entry of one actor, and one segment.
 */
export async function diffSavepoints(
  before: Savepoint,
  after: Savepoint,
  { actor: only, examples = 10 }: DiffOptions = {},
): Promise<readonly ActorDifference[]> {
  const names = new Set([...before.tasks, ...after.tasks].map(({ manifest }) => manifest.task));
  const found: ActorDifference[] = [];
  for (const task of names) {
    const [a, b] = [before, after].map(of => of.tasks.find(({ manifest }) => manifest.task === task));
    const actors = new Set([a, b].flatMap(of => Object.keys(of?.manifest.actors ?? {})));
    for (const actor of actors) {
      if (only === undefined || only === actor) found.push(await diffActor(task, actor, a, b, examples));
    }
  }
  return found;
}

async function diffActor(
  task: string,
  actor: string,
  before: SavedTask | undefined,
  after: SavedTask | undefined,
  most: number,
): Promise<ActorDifference> {
  const counts = { added: 0, removed: 0, changed: 0, same: 0 };
  const examples = new Map<string, KeyDifference>();
  const old = new Map<string, string>();
  for await (const entry of entriesOf(before, actor)) old.set(nameOf(entry), digestOf(entry));
  for await (const entry of entriesOf(after, actor)) {
    const name = nameOf(entry);
    const digest = old.get(name);
    old.delete(name);
    const change = digest === undefined ? 'added' : digest === digestOf(entry) ? 'same' : 'changed';
    counts[change]++;
    if (change !== 'same' && examples.size < most) {
      examples.set(name, { change, ...shownKey(entry), after: storedValue(entry) });
    }
  }
  counts.removed = old.size;
  // Once more for the old values of those that are shown.
  if (old.size > 0 || [...examples.values()].some(({ change }) => change === 'changed')) {
    for await (const entry of entriesOf(before, actor)) {
      const name = nameOf(entry);
      const example = examples.get(name);
      if (example) examples.set(name, { ...example, before: storedValue(entry) });
      else if (old.has(name) && examples.size < most) {
        examples.set(name, { change: 'removed', ...shownKey(entry), before: storedValue(entry) });
      }
    }
  }
  const versions = [before, after].map(of => of?.manifest.actors[actor]?.version);
  return {
    task,
    actor,
    version: {
      ...(versions[0] !== undefined && { before: versions[0] }),
      ...(versions[1] !== undefined && { after: versions[1] }),
    },
    ...counts,
    examples: [...examples.values()],
  };
}

async function* entriesOf(task: SavedTask | undefined, actor: string): AsyncGenerator<RawEntry> {
  if (!task || !Object.hasOwn(task.manifest.actors, actor)) return;
  for await (const entry of rawEntries(task, actor)) {
    if (entry.kind === entryKinds.state || entry.kind === entryKinds.entry) yield entry;
  }
}

const nameOf = ({ kind, segment, key }: RawEntry): string =>
  `${kind}:${Buffer.from(segment.subarray(...key)).toString('latin1')}`;
const digestOf = ({ segment, value }: RawEntry): string =>
  createHash('sha256')
    .update(segment.subarray(...value))
    .digest('base64')
    .slice(0, 16);

function storedValue({ segment, value }: RawEntry): unknown {
  const stored = decodeStored(segment, ...value);
  return stored instanceof Stamped ? stored.value : stored;
}

function shownKey({ kind, segment, key }: RawEntry): Pick<KeyDifference, 'key' | 'state' | 'entry'> {
  const name = decodeKey(segment, ...key);
  if (kind === entryKinds.state) return { key: keyOf(name) };
  const { state, key: owner, entry } = entryOf(name);
  return { key: keyOf(owner), state, entry: keyOf(entry) };
}
