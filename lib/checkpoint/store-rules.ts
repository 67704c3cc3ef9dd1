import { FencedError, InternalError, messageOf, StateLostError, type TidemarkError } from '../errors.ts';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts';
import { type TaskRef, tokenOfSegment } from './snapshot-store.ts';

// What every snapshot store must decide in the same way, without I/O. The Redis scripts state the same rules in Lua.

/** A manifest among those of its task: two incarnations can have prepared the same id. */
export interface ManifestKey {
  readonly id: number;
  readonly token: number;
}

/** A manifest that is kept, and the segments that it names. */
export interface KeptManifest extends ManifestKey {
  readonly segments: readonly string[];
}

export const sameManifest = (a: ManifestKey, b: ManifestKey): boolean => a.id === b.id && a.token === b.token;

/** `<id>-<token>`: names a manifest within its task. */
export function manifestName({ id, token }: ManifestKey): string {
  return `${id}-${token}`;
}

/** Reads what `manifestName` wrote; `undefined` for anything else. */
export function manifestKeyOf(name: string): ManifestKey | undefined {
  const parts = /^([1-9]\d*)-([1-9]\d*)$/.exec(name);
  return parts ? { id: Number(parts[1]), token: Number(parts[2]) } : undefined;
}

/** Refuses a token that is not the newest one, and says what that means. */
export function checkFence(ref: TaskRef, token: number, newest: number): void {
  if (token !== newest) throw staleToken(ref, token, newest);
}

/** The error for a token that is not the newest one: fenced off, or the store has lost what it knew. */
export function staleToken(ref: TaskRef, token: number, newest: number): TidemarkError {
  const context = { ...ref, token, newest };
  if (token < newest) {
    return new FencedError(
      `Task ${ref.task} of job ${ref.job} has been taken over: this incarnation holds fence token ${token}, a newer one ` +
        `holds ${newest}. Nothing of this one is written any more and it must stop; run the task in one place only.`,
      { context },
    );
  }
  return new StateLostError(
    `The snapshot store has lost state of task ${ref.task} of job ${ref.job}: this incarnation holds fence token ${token}, ` +
      `but the newest that the store knows is ${newest}. It was emptied, removed or restored from an older copy: put its ` +
      'data back before the job is started again.',
    { context },
  );
}

/** Segments are named `<id>-<token>-<random>` by the incarnation that writes them: collection relies on it. */
export function checkSegmentName(ref: TaskRef, token: number, name: string): void {
  if (!/^\d+-\d+-[A-Za-z0-9_-]+$/.test(name) || tokenOfSegment(name) !== token) {
    throw new InternalError(`"${name}" is no name for a segment of token ${token}: it must be <id>-<token>-<random>.`, {
      context: { ...ref },
    });
  }
}

/** Notes are named so that every store can take the name as it is. */
export function checkNoteName(ref: TaskRef, name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,149}$/.test(name)) return;
  throw new InternalError(`"${name}" is no name for a note: it takes a-z, digits, ".", "-" and "_", 150 at most.`, {
    context: { ...ref },
  });
}

/** The error for a segment whose name is taken. */
export function segmentExists(ref: TaskRef, name: string): InternalError {
  return new InternalError(`Segment ${name} exists already: segments are written once.`, { context: { ...ref } });
}

/** The text to keep for a manifest that may be prepared; refuses one of another task or token, or that cannot be read back. */
export function encodeToPrepare(ref: TaskRef, token: number, manifest: Manifest): string {
  const context = { ...ref, checkpointId: manifest.id };
  if (manifest.job !== ref.job || manifest.task !== ref.task || manifest.token !== token) {
    throw new InternalError(
      `Manifest ${manifest.id} is of task ${manifest.task} of job ${manifest.job} under token ${manifest.token}: it cannot ` +
        `be prepared for task ${ref.task} of job ${ref.job} under token ${token}.`,
      { context },
    );
  }
  const text = encodeManifest(manifest);
  try {
    decodeManifest(text, `${manifest.id}`);
  } catch (error) {
    throw new InternalError(`Manifest ${manifest.id} could not be read back: ${messageOf(error)}`, {
      cause: error,
      context,
    });
  }
  return text;
}

/** The error for an id that was prepared with another content under the same token. */
export function preparedTwice(ref: TaskRef, { id, token }: ManifestKey): InternalError {
  return new InternalError(`Manifest ${id} was prepared already under token ${token}: ids are never used twice.`, {
    context: { ...ref, checkpointId: id },
  });
}

/** The error for an id that would take the committed checkpoints back. */
export function goesBack(ref: TaskRef, id: number, newest: number): InternalError {
  return new InternalError(`Checkpoint ${id} comes after ${newest}, which is committed: ids only rise.`, {
    context: { ...ref, checkpointId: id },
  });
}

/** The error for a manifest that is to be confirmed but was never prepared; `token` is the one that should have done it. */
export function notPrepared(ref: TaskRef, { id, token }: ManifestKey): InternalError {
  return new InternalError(`Manifest ${id} cannot be confirmed: token ${token} has not prepared it.`, {
    context: { ...ref, checkpointId: id },
  });
}

/** The error for collecting the newest confirmed manifest or what comes after it. */
export function notCollectable(ref: TaskRef, ids: readonly number[], newest: number): InternalError {
  return new InternalError(
    `Manifests ${ids.join(', ')} cannot be collected: ${newest > 0 ? `${newest} is` : 'none is'} the newest that is ` +
      'committed, and it and what follows it are kept.',
    { context: { ...ref } },
  );
}

/** The newest of the confirmed manifests. */
export function newestOf<M extends ManifestKey>(confirmed: readonly M[]): M | undefined {
  return confirmed.reduce<M | undefined>((best, next) => (best && best.id >= next.id ? best : next), undefined);
}

/** Whether a manifest that is only prepared can never be committed any more, because a newer id or incarnation was. */
export function isOvertaken(prepared: ManifestKey, newest: ManifestKey | undefined): boolean {
  return newest !== undefined && (prepared.id <= newest.id || prepared.token < newest.token);
}

export interface CollectionPlan {
  /** The manifests that stay confirmed. */
  readonly confirmed: readonly ManifestKey[];
  /** The manifests that go. */
  readonly dropped: readonly ManifestKey[];
  /** The segments that go: named by dropped manifests only, or written by older tokens and named by none. */
  readonly segments: readonly string[];
}

/** What a collection of `ids` under `token` does; `written` are the names of all segments that are there. */
export function planCollection(
  ref: TaskRef,
  token: number,
  ids: readonly number[],
  confirmed: readonly KeptManifest[],
  prepared: readonly KeptManifest[],
  written: Iterable<string>,
): CollectionPlan {
  const newest = newestOf(confirmed);
  const refused = ids.filter(id => !newest || id >= newest.id);
  if (refused.length > 0) throw notCollectable(ref, refused, newest?.id ?? 0);
  const expired = confirmed.filter(({ id }) => ids.includes(id));
  const staying = confirmed.filter(({ id }) => !ids.includes(id));
  const dropped = [...expired, ...prepared.filter(manifest => isOvertaken(manifest, newest))];
  const open = prepared.filter(manifest => !isOvertaken(manifest, newest));
  const named = new Set([...staying, ...open].flatMap(({ segments }) => segments));
  const released = new Set(dropped.flatMap(({ segments }) => segments));
  const segments = [...written].filter(
    name => !named.has(name) && (released.has(name) || tokenOfSegment(name) < token),
  );
  return { confirmed: staying.map(({ id, token }) => ({ id, token })), dropped, segments };
}
