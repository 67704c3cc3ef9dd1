import { randomUUID } from 'node:crypto';
import {
  decodeManifest,
  InternalError,
  type Manifest,
  StateLostError,
  type StoredManifest,
  StoreRefusedError,
  StoreUnavailableError,
  segmentsOf,
  storeRules,
  type TaskNote,
  type TaskRef,
  type TaskStore,
  tokenOfSegment,
} from '../../lib/index.ts';
import type { Connection } from './connection.ts';
import { durably } from './durable-write.ts';
import { type TaskKeys, taskKeys, tasksKey } from './keys.ts';
import type { ScriptName } from './scripts/index.ts';

/** The most bytes that Redis takes as one value (`proto-max-bulk-len`). */
const maxSegmentBytes = 512 * 1024 * 1024;

function* batches<T>(items: readonly T[], size = 100): Iterable<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

/** The state of one task in Redis: what is committed changes in scripts that check the fence first. */
export class RedisTask implements TaskStore {
  readonly #connection: Connection;
  readonly #ref: TaskRef;
  readonly #keys: TaskKeys;
  /** Segments that are known to be durable; the others are made so before a manifest names them. */
  #durable: ReadonlySet<string> = new Set();

  constructor(connection: Connection, { job, task }: TaskRef) {
    this.#connection = connection;
    this.#ref = { job, task };
    this.#keys = taskKeys(connection.settings.prefix, this.#ref);
  }

  async acquireFence(above: number): Promise<number> {
    const { fence, names } = this.#keys;
    await this.#register();
    return this.#durably('acquire the fence', async () =>
      Number(await this.#connection.script('acquire the fence', 'acquireFence', [fence, names], above)),
    );
  }

  async fence(): Promise<number> {
    return Number((await this.#connection.run('read the fence', client => client.get(this.#keys.fence))) ?? 0);
  }

  async putSegment(token: number, name: string, bytes: Uint8Array): Promise<void> {
    storeRules.checkSegmentName(this.#ref, token, name);
    if (bytes.byteLength > maxSegmentBytes) {
      throw new StoreRefusedError(
        `Segment ${name} has ${bytes.byteLength} bytes, and Redis takes 512 MiB in one value: make segments smaller.`,
        { context: { ...this.#ref } },
      );
    }
    await this.#script('register a segment', 'registerSegment', token, name, randomUUID());
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#connection.run(`write segment ${name}`, client => client.set(this.#keys.segment(name), value));
  }

  async getSegment(name: string): Promise<Uint8Array | undefined> {
    const value = await this.#connection.run(`read segment ${name}`, client =>
      client.getBuffer(this.#keys.segment(name)),
    );
    return value ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
  }

  async prepare(token: number, manifest: Manifest): Promise<void> {
    const text = storeRules.encodeToPrepare(this.#ref, token, manifest);
    const name = storeRules.manifestName(manifest);
    const segments = segmentsOf(manifest);
    await this.#durably(`prepare checkpoint ${manifest.id}`, async () => {
      await this.#touch(token, segments);
      await this.#script('prepare a manifest', 'prepare', token, name, manifest.id, text, segments.join('\n'));
    });
    this.#durable = new Set(segments);
  }

  async confirm(token: number, id: number, preparedBy = token): Promise<void> {
    const name = storeRules.manifestName({ id, token: preparedBy });
    await this.#durably(`confirm checkpoint ${id}`, () =>
      this.#script('confirm a manifest', 'confirm', token, name, id, preparedBy),
    );
  }

  async manifests(): Promise<readonly StoredManifest[]> {
    const keys = [this.#keys.manifests, this.#keys.confirmed];
    const reply = await this.#connection.script('read the manifests', 'readManifests', keys);
    const [confirmed, fields] = reply as [string[], string[]];
    const texts = new Map<string, string>();
    for (let i = 0; i < fields.length; i += 2) texts.set(fields[i] as string, fields[i + 1] as string);
    const stored: StoredManifest[] = [];
    for (const name of new Set([...confirmed, ...texts.keys()])) {
      const isConfirmed = confirmed.includes(name);
      try {
        stored.push({ manifest: this.#read(name, texts.get(name)), confirmed: isConfirmed });
      } catch (error) {
        if (isConfirmed) throw error;
      }
    }
    return stored.sort((a, b) => a.manifest.id - b.manifest.id || a.manifest.token - b.manifest.token);
  }

  async collect(token: number, ids: readonly number[]): Promise<void> {
    const segments = await this.#durably('collect', () => this.#script('collect', 'collect', token, ...ids));
    await this.#remove(token, segments);
  }

  async notes(): Promise<readonly TaskNote[]> {
    const texts = await this.#connection.run('read the notes', client => client.hgetall(this.#keys.notes));
    return Object.entries(texts).map(([name, text]) => ({ name, text }));
  }

  putNote(name: string, text: string): Promise<boolean> {
    storeRules.checkNoteName(this.#ref, name);
    return this.#durably('leave a note', () =>
      this.#connection.run('leave a note', async client => {
        const { notes } = this.#keys;
        // Tried again after an answer was lost, it is there already.
        return (await client.hsetnx(notes, name, text)) === 1 || (await client.hget(notes, name)) === text;
      }),
    );
  }

  async removeNote(name: string): Promise<void> {
    await this.#connection.run('remove a note', client => client.hdel(this.#keys.notes, name));
  }

  async clear(token: number): Promise<void> {
    const segments = await this.#durably('clear', () => this.#script('clear the task', 'clear', token));
    await this.#connection.run('remove the notes', client => client.del(this.#keys.notes));
    await this.#remove(token, segments);
  }

  async #register(): Promise<void> {
    const connection = this.#connection;
    const { job, task } = this.#ref;
    const member = JSON.stringify([job, task]);
    try {
      await connection.run('register the task', client => client.sadd(tasksKey(connection.settings.prefix), member));
    } catch (error) {
      // Memory may be full: then it matters that the task was registered before its first token.
      if (!(error instanceof StoreUnavailableError) || (await this.fence()) === 0) throw error;
    }
  }

  #read(name: string, text: string | undefined): Manifest {
    if (text === undefined) throw this.#lost(name);
    const manifest = decodeManifest(text, this.#where(name));
    if (storeRules.manifestName(manifest) === name) return manifest;
    throw new StateLostError(
      `The manifest ${this.#where(name)} is that of another checkpoint. Restore it from a copy.`,
    );
  }

  #lost(name: string): StateLostError {
    return new StateLostError(`The manifest ${this.#where(name)} is gone. Restore it from a copy.`);
  }

  #where(name: string): string {
    return `${name} of task ${this.#ref.task} of job ${this.#ref.job} in ${this.#connection.settings.location}`;
  }

  /**
   * Writes the keys of segments once more, unchanged, so that what is waited for next covers them: they may have come over a
   * connection that is gone. Refuses when one is not there.
   */
  async #touch(token: number, segments: readonly string[]): Promise<void> {
    for (const names of batches(segments.filter(name => !this.#durable.has(name)))) {
      const sizes = await Promise.all(
        names.map(name => this.#connection.script('look for a segment', 'touch', [this.#keys.segment(name)])),
      );
      const missing = names.find((_, i) => Number(sizes[i]) < 0);
      if (missing === undefined) continue;
      storeRules.checkFence(this.#ref, token, await this.fence());
      const what = `Segment ${missing} of task ${this.#ref.task} of job ${this.#ref.job} is not in Redis any more`;
      if (tokenOfSegment(missing) === token) {
        throw new StoreUnavailableError(
          `${what}: the server lost it, or was emptied. Look at its persistence and its log.`,
        );
      }
      throw new StateLostError(`${what}, but committed checkpoints need it. Restore the server from a copy.`);
    }
  }

  /** Deletes segments that nothing names. One that was not there may yet be written by a slow zombie, so it is kept in mind. */
  async #remove(token: number, segments: readonly string[]): Promise<void> {
    const { written, released } = this.#keys;
    for (const names of batches(segments)) {
      const counts = await this.#connection.run('delete segments', client =>
        Promise.all(names.map(name => client.unlink(this.#keys.segment(name)))),
      );
      const gone = names.filter((name, i) => counts[i] === 1 || tokenOfSegment(name) < token - 1);
      if (gone.length === 0) continue;
      await this.#connection.run('forget segments', client =>
        Promise.all([client.hdel(written, ...gone), client.srem(released, ...gone)]),
      );
    }
  }

  /** Runs a script of the task and answers what follows its verdict; any other verdict than "done" becomes its error. */
  async #script(
    action: string,
    name: ScriptName,
    token: number,
    ...args: readonly (string | number)[]
  ): Promise<string[]> {
    const { fence, manifests, names, confirmed, written, released } = this.#keys;
    const keys = [fence, manifests, names, confirmed, written, released];
    const [verdict, ...rest] = (await this.#connection.script(action, name, keys, token, ...args)) as string[];
    if (verdict === 'done') return rest;
    const ref = this.#ref;
    const about = { id: Number(args[1]), token };
    switch (verdict) {
      case 'stale':
        throw storeRules.staleToken(ref, token, Number(rest[0]));
      case 'exists':
        throw name === 'prepare'
          ? storeRules.preparedTwice(ref, about)
          : storeRules.segmentExists(ref, String(args[0]));
      case 'back':
        throw storeRules.goesBack(ref, about.id, Number(rest[0]));
      case 'missing':
        throw storeRules.notPrepared(ref, { id: about.id, token: Number(args[2]) });
      case 'kept':
        throw storeRules.notCollectable(ref, args.map(Number), Number(rest[0]));
      case 'lost':
        throw this.#lost(String(rest[0]));
      default:
        throw new InternalError(`The Redis script ${name} answered "${verdict}".`);
    }
  }

  #durably<T>(action: string, write: () => Promise<T>): Promise<T> {
    return durably(this.#connection, action, write);
  }
}
