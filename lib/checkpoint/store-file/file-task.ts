import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { StateLostError, StoreRefusedError, StoreUnavailableError } from '../../errors.ts';
import type { Manifest } from '../manifest.ts';
import { type StoredManifest, type TaskNote, type TaskRef, type TaskStore, tokenOfSegment } from '../snapshot-store.ts';
import {
  type CollectionPlan,
  checkFence,
  checkNoteName,
  checkSegmentName,
  encodeToPrepare,
  goesBack,
  isOvertaken,
  type ManifestKey,
  newestOf,
  notPrepared,
  planCollection,
  preparedTwice,
  sameManifest,
  segmentExists,
  staleToken,
} from '../store-rules.ts';
import { CommitLog, type Head } from './commit-log.ts';
import type { FileSystem } from './file-system.ts';
import { TaskFolder } from './task-folder.ts';

const isIn = (keys: readonly ManifestKey[], key: ManifestKey): boolean => keys.some(other => sameManifest(other, key));

/**
 * The state of one task in a folder. What is committed is what the newest entry of the commit log says; everything else there
 * is either named by it or without effect, so each step may be the last one before a crash.
 */
export class FileTask implements TaskStore {
  readonly #fs: FileSystem;
  readonly #ref: TaskRef;
  readonly #folder: TaskFolder;
  readonly #log: CommitLog;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(fs: FileSystem, { job, task }: TaskRef, path: string) {
    this.#fs = fs;
    this.#ref = { job, task };
    this.#folder = new TaskFolder(fs, path);
    this.#log = new CommitLog(fs, this.#ref, path);
  }

  acquireFence(above: number): Promise<number> {
    return this.#inTurn(async () => {
      const found = await this.#log.head();
      if (found) this.#checkOwner(found);
      await this.#folder.create();
      if (!found) await this.#createLog();
      await this.#folder.makeDurable();
      return this.#untilDone(async () => {
        const head = await this.#log.head();
        if (!head) return undefined;
        const token = Math.max(head.entry.token, above) + 1;
        if (!(await this.#log.append(head, token, head.entry.confirmed))) return undefined;
        await this.#folder.removeOlderTemporaries(token);
        return token;
      });
    });
  }

  async fence(): Promise<number> {
    return (await this.#log.head())?.entry.token ?? 0;
  }

  async putSegment(token: number, name: string, bytes: Uint8Array): Promise<void> {
    checkSegmentName(this.#ref, token, name);
    await this.#checkedHead(token);
    if (!(await this.#publish(token, this.#folder.segmentPath(name), bytes))) throw segmentExists(this.#ref, name);
  }

  getSegment(name: string): Promise<Uint8Array | undefined> {
    return this.#fs.read(this.#folder.segmentPath(name));
  }

  async prepare(token: number, manifest: Manifest): Promise<void> {
    const bytes = Buffer.from(encodeToPrepare(this.#ref, token, manifest));
    const path = this.#folder.manifestPath(manifest);
    const { confirmed } = (await this.#checkedHead(token)).entry;
    const newest = newestOf(confirmed);
    if (newest && manifest.id <= newest.id && !isIn(confirmed, manifest)) {
      throw goesBack(this.#ref, manifest.id, newest.id);
    }
    // The names of segments become durable here, all at once; their bytes are since `putSegment`.
    await this.#fs.sync(this.#folder.segments);
    if (!(await this.#publish(token, path, bytes))) {
      const before = await this.#fs.read(path);
      if (!before || !bytes.equals(before)) throw preparedTwice(this.#ref, manifest);
    }
    await this.#fs.sync(this.#folder.manifests);
    await this.#checkedHead(token);
  }

  confirm(token: number, id: number, preparedBy = token): Promise<void> {
    const key = { id, token: preparedBy };
    return this.#change(token, async head => {
      const { confirmed } = head.entry;
      if (isIn(confirmed, key)) {
        await this.#log.makeDurable(head.entry.slot);
        return true;
      }
      const newest = newestOf(confirmed);
      if (newest && id <= newest.id) throw goesBack(this.#ref, id, newest.id);
      if (isOvertaken(key, newest)) throw notPrepared(this.#ref, key);
      await this.#checkPrepared(key);
      return (await this.#log.append(head, token, [...confirmed, key])) !== undefined;
    });
  }

  async manifests(): Promise<readonly StoredManifest[]> {
    for (;;) {
      const head = await this.#log.head();
      if (!head) return [];
      const { confirmed } = head.entry;
      const newest = newestOf(confirmed);
      const found = await this.#folder.manifestKeys();
      const keys = [...confirmed, ...found.filter(key => !isIn(confirmed, key) && !isOvertaken(key, newest))];
      const stored: StoredManifest[] = [];
      let damage: unknown;
      for (const key of keys.sort((a, b) => a.id - b.id || a.token - b.token)) {
        const isConfirmed = isIn(confirmed, key);
        const { manifest, error } = await this.#folder.readManifest(key);
        if (manifest) stored.push({ manifest, confirmed: isConfirmed });
        else if (isConfirmed) damage ??= error;
      }
      if (damage === undefined) return stored;
      // What is missing may have been collected in the meantime.
      if ((await this.#log.head())?.text === head.text) throw damage;
    }
  }

  collect(token: number, ids: readonly number[]): Promise<void> {
    return this.#change(token, async head => {
      const plan = await this.#plan(token, ids, head);
      const isSame = plan.confirmed.length === head.entry.confirmed.length;
      const next = isSame ? head : await this.#log.append(head, token, plan.confirmed);
      if (next) await this.#remove(plan, next);
      return next !== undefined;
    });
  }

  async notes(): Promise<readonly TaskNote[]> {
    const notes: TaskNote[] = [];
    for (const name of (await this.#fs.list(this.#folder.notes)) ?? []) {
      const bytes = await this.#fs.read(join(this.#folder.notes, name));
      if (bytes) notes.push({ name, text: Buffer.from(bytes).toString() });
    }
    return notes;
  }

  async putNote(name: string, text: string): Promise<boolean> {
    checkNoteName(this.#ref, name);
    const { path, notes } = this.#folder;
    for (const folder of [notes, join(path, 'tmp')]) await this.#fs.makeFolder(folder);
    // A newer incarnation removes temporary files of older tokens: this one belongs to none.
    const temporary = join(path, 'tmp', `note-${randomUUID()}`);
    await this.#fs.write(temporary, Buffer.from(text));
    const outcome = await this.#fs.link(temporary, join(notes, name));
    await this.#fs.remove(temporary);
    await this.#fs.sync(notes);
    if (outcome === 'done') return true;
    const before = await this.#fs.read(join(notes, name));
    return before !== undefined && Buffer.from(before).toString() === text;
  }

  removeNote(name: string): Promise<void> {
    checkNoteName(this.#ref, name);
    return this.#fs.remove(join(this.#folder.notes, name));
  }

  clear(token: number): Promise<void> {
    return this.#change(token, async head => {
      const next = await this.#log.append(head, token, []);
      if (!next) return false;
      // A newer incarnation may be at work already: its files stay.
      const dropped = (await this.#folder.manifestKeys()).filter(key => key.token <= token);
      const segments = (await this.#segments()).filter(name => tokenOfSegment(name) <= token);
      await this.#remove({ dropped, segments }, next);
      await this.#fs.remove(this.#folder.notes);
      return true;
    });
  }

  async #plan(token: number, ids: readonly number[], head: Head) {
    const { confirmed } = head.entry;
    const found = await this.#folder.manifestKeys();
    const read = (keys: readonly ManifestKey[]) => Promise.all(keys.map(key => this.#folder.readManifest(key)));
    const committed = await read(confirmed);
    const damaged = committed.find(({ id, manifest }) => !manifest && !ids.includes(id));
    if (damaged) throw damaged.error; // nobody knows which segments it needs
    const prepared = await read(found.filter(key => !isIn(confirmed, key)));
    return planCollection(this.#ref, token, ids, committed, prepared, await this.#segments());
  }

  /** Segments first: a manifest that is left says what still has to go. */
  async #remove(plan: Pick<CollectionPlan, 'dropped' | 'segments'>, head: Head): Promise<void> {
    for (const name of plan.segments) await this.#fs.remove(this.#folder.segmentPath(name));
    for (const key of plan.dropped) await this.#fs.remove(this.#folder.manifestPath(key));
    await this.#log.trim(head);
  }

  async #segments(): Promise<readonly string[]> {
    const names = (await this.#fs.list(this.#folder.segments)) ?? [];
    return names.filter(name => /^\d+-\d+-/.test(name));
  }

  async #checkedHead(token: number): Promise<Head> {
    const head = await this.#log.head();
    if (!head) throw staleToken(this.#ref, token, 0);
    checkFence(this.#ref, token, head.entry.token);
    return head;
  }

  /** Brings a complete file under its name in one step; `false` when the name is taken. */
  async #publish(token: number, path: string, bytes: Uint8Array): Promise<boolean> {
    const temporary = join(this.#folder.path, 'tmp', `${token}-${randomUUID()}`);
    await this.#fs.write(temporary, bytes);
    const outcome = await this.#fs.link(temporary, path);
    await this.#fs.remove(temporary);
    if (outcome !== 'missing') return outcome === 'done';
    await this.#checkedHead(token); // a newer incarnation cleans up after us
    throw new StateLostError(
      `${path} could not be written: its folder, or the temporary file, was removed meanwhile. Look for what deletes files there.`,
      { context: { ...this.#ref } },
    );
  }

  async #checkPrepared(key: ManifestKey): Promise<void> {
    const { manifest, error } = await this.#folder.readManifest(key);
    if (manifest) return;
    const isThere = isIn(await this.#folder.manifestKeys(), key);
    throw isThere ? error : notPrepared(this.#ref, key);
  }

  #checkOwner({ entry }: Head): void {
    const { job, task } = this.#ref;
    if (entry.job === job && entry.task === task) return;
    throw new StoreRefusedError(
      `${this.#folder.path} holds the state of task ${entry.task} of job ${entry.job}, not of task ${task} of job ${job}. ` +
        'State is not taken over by renaming folders: give the job its old name or another store.',
      { context: { ...this.#ref } },
    );
  }

  async #createLog(): Promise<void> {
    const orphans = await this.#folder.manifestKeys();
    if (orphans.length > 0 && !(await this.#log.head())) {
      throw new StateLostError(
        `${this.#folder.path} has manifests but no commit log (commits/): put it back from a copy, or remove the whole ` +
          'folder to start afresh.',
        { context: { ...this.#ref } },
      );
    }
    try {
      await this.#log.create();
    } catch (error) {
      if (!(await this.#log.head())) throw error; // else another process was faster, and has cleaned up after us
    }
  }

  /** Changes what is committed, building on the newest entry until no other process is faster. */
  #change(token: number, attempt: (head: Head) => Promise<boolean>): Promise<void> {
    return this.#inTurn(() =>
      this.#untilDone(async () => {
        const head = await this.#checkedHead(token);
        try {
          return (await attempt(head)) || undefined;
        } catch (error) {
          // What is missing or wrong may be so because a newer incarnation is at work: then that is the news.
          if ((await this.#checkedHead(token)).text === head.text) throw error;
          return undefined;
        }
      }),
    ).then(() => {});
  }

  /** Tries again while other processes are faster, which means that one of them got on. */
  async #untilDone<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let i = 0; i < 1_000; i++) {
      const result = await attempt();
      if (result !== undefined) return result;
    }
    throw new StoreUnavailableError(
      `Other processes keep changing ${this.#folder.path}: find out which ones run the same task.`,
      { context: { ...this.#ref } },
    );
  }

  /** What appends to the log goes one after another within this process; between processes the log decides. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}
