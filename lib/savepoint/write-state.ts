import { randomBytes } from 'node:crypto';
import { entryKinds } from '../actor/actor-state.ts';
import type { StateCodec } from '../actor/behaviour.ts';
import { mapKey } from '../actor/key.ts';
import { encodeKey } from '../actor/key-codec.ts';
import { nameOf } from '../actor/keyed-entries.ts';
import type { ActorEntry, Json, Manifest, SegmentRef } from '../checkpoint/manifest.ts';
import { SegmentWriter, sealSegment } from '../checkpoint/segment.ts';
import { segmentName } from '../checkpoint/snapshot-store.ts';
import { Stamped, StoredValueEncoder } from '../checkpoint/stamped-value.ts';
import { messageOf, SavepointError, UnsupportedStateError } from '../errors.ts';
import type { Job } from '../job/job.ts';
import type { JobSettings } from '../job/settings.ts';
import { wireUnread } from '../job/wire-unread.ts';
import { writeDirectory } from './directory.ts';
import type { SavedEntry } from './read-state.ts';
import { verifySavepointName } from './savepoint.ts';

/** Entries as `readState` gives them; each key, or entry of a key, once. */
export type EntriesToSave = Iterable<SavedEntry> | AsyncIterable<SavedEntry>;

export interface SavepointToWrite {
  /**
   * The job that will start from it: its actors' versions and codecs are used, values are given as its actors work with them, and
   * names that it does not have are refused. A name alone: values as they are stored, in `versions`.
   */
  readonly job: Job | string;
  /** Of the job, for its parameters. */
  readonly settings?: JobSettings;
  /** Default `main`. */
  readonly task?: string;
  readonly name: string;
  /** State by the names of actors. */
  readonly actors: Readonly<Record<string, EntriesToSave>>;
  /** With the name of a job alone: versions of actors, 1 where left out. */
  readonly versions?: Readonly<Record<string, number>>;
  /** Where each source goes on, as its positions look in `tidemark savepoint show --json`; one that is left out begins as it would. */
  readonly sources?: Readonly<Record<string, { readonly position: Json; readonly watermark?: number | null }>>;
}

interface Form {
  readonly version: number;
  readonly codec: StateCodec<unknown> | undefined;
}

/** Of a state that has one value for each key. */
const onlyEntry = 0;
const token = 1;
const id = 1;

/**
 * Writes a savepoint from a batch, to a directory: a job that starts from it has this state. Entries are taken one by one; in memory
 * is one segment of 4 MiB. Answers the directory.
 */
export async function writeSavepoint(directory: string, content: SavepointToWrite): Promise<string> {
  const { job, name, task = 'main', actors, sources = {} } = content;
  verifySavepointName(name);
  const forms = formsOf(content);
  const createdAt = Date.now();
  const jobName = typeof job === 'string' ? job : job.name;
  return writeDirectory(directory, async putSegment => {
    const written: Record<string, ActorEntry> = {};
    for (const [actor, entries] of Object.entries(actors)) {
      written[actor] = await writeActor(actor, entries, forms(actor), (segment, bytes) =>
        putSegment(task, segment, bytes),
      );
    }
    const manifest: Manifest = {
      format: 1,
      job: jobName,
      task,
      id,
      token,
      kind: 'savepoint',
      savepoint: { name },
      createdAt,
      sources: Object.fromEntries(
        Object.entries(sources).map(([source, { position, watermark = null }]) => [
          source,
          { position, finished: false, watermark },
        ]),
      ),
      actors: written,
      sinks: {},
      finished: [],
      jobFinished: false,
      closed: true,
    };
    return { job: jobName, name, createdAt, manifests: [manifest] };
  });
}

function formsOf({ job, settings, actors, versions = {}, sources = {} }: SavepointToWrite): (actor: string) => Form {
  if (typeof job === 'string') return actor => ({ version: versions[actor] ?? 1, codec: undefined });
  const { actors: stages, nodes } = wireUnread(job, settings ?? {});
  const byName = new Map(
    stages.map(stage => [stage.name, { version: stage.state.version, codec: stage.stored.codec }]),
  );
  const declared = new Set(nodes.filter(({ kind }) => kind === 'source').map(node => node.name ?? ''));
  const unknown = [
    ...Object.keys(actors).filter(actor => !byName.has(actor)),
    ...Object.keys(sources).filter(source => !declared.has(source)),
  ];
  if (unknown.length > 0) {
    throw new SavepointError(
      `The job "${job.name}" has no ${unknown.map(one => `"${one}"`).join(', ')}; its actors are ${[...byName.keys()].join(', ') || 'none'}, ` +
        `its sources ${[...declared].join(', ')}.`,
    );
  }
  return actor => byName.get(actor) as Form;
}

async function writeActor(
  actor: string,
  entries: EntriesToSave,
  { version, codec }: Form,
  put: (name: string, bytes: Uint8Array) => Promise<void>,
): Promise<ActorEntry> {
  const writer = new SegmentWriter();
  const encoder = new StoredValueEncoder();
  const segments: SegmentRef[] = [];
  const seal = async (raws: ReturnType<SegmentWriter['finish']>) => {
    for (const { raw, entries: count } of raws) {
      const { bytes, checksum } = await sealSegment(raw, { compression: 'zstd' });
      const name = segmentName(id, token, randomBytes(8).toString('hex'));
      await put(name, bytes);
      segments.push({ name, kind: 'full', bytes: bytes.byteLength, entries: count, checksum });
    }
  };
  let keys = 0;
  for await (const saved of entries) {
    const { key, state, kind = 'value', entry, since } = saved;
    const owner = mapKey(key);
    const isOwn = state === undefined;
    if (isOwn) keys++;
    const isSingle = kind === 'value' || kind === 'aggregating';
    const name = isOwn ? owner : nameOf(state, kind, owner, isSingle ? onlyEntry : mapKey(entry));
    try {
      const value = isOwn && codec ? codec.encode(saved.value) : saved.value;
      const stored = since ? new Stamped(value, since.time, since.clock) : value;
      const encodedName = encodeKey(name);
      writer.putRange(
        isOwn ? entryKinds.state : entryKinds.entry,
        { bytes: encodedName, start: 0, end: encodedName.length },
        encoder.encode(stored),
      );
    } catch (error) {
      throw new UnsupportedStateError(
        `State of the actor "${actor}" for key ${String(key)} cannot be stored: ${messageOf(error)}`,
        {
          cause: error,
          context: { operator: actor },
        },
      );
    }
    await seal(writer.takeClosed());
  }
  await seal(writer.finish());
  return { version, keys, segments };
}
