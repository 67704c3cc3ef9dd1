import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Json, messageOf, type SinkContext, type SinkWriter, TidemarkError } from '../../../lib/index.ts';
import { fileError, OutputChangedError, reasonOf } from '../errors.ts';
import { digestBlock } from '../fingerprint.ts';
import type { SinkSettings } from '../options.ts';
import type { Backlog } from './chunk-queue.ts';
import {
  type Claim,
  dropClaims,
  dropHalfMade,
  otherParts,
  readClaims,
  verifyClaim,
  verifyNotOvertaken,
  writeClaim,
} from './claims.ts';
import { hiddenFolderOf, makeFolder, realPathOf, syncFolder } from './folders.ts';
import { endOf, readHandle, type SinkHandle } from './handle.ts';
import { PartFile } from './part-file.ts';
import { PartLedger } from './part-ledger.ts';
import { type Lines, linesOf } from './serialize.ts';
import { takeover } from './takeover.ts';
import { applyHandle, replaceVisible, sizeOf } from './visible-file.ts';

const nothing = digestBlock(new Uint8Array(0));

/** Writes what follows a barrier to a part of its own, and a part to the visible file once its checkpoint counts. */
export class ExactlyOnceWriter<T> implements SinkWriter<T> {
  readonly #settings: SinkSettings;
  readonly #context: SinkContext;
  readonly #lines: Lines;
  readonly #backlog: Backlog;
  #visible = '';
  #folder = '';
  #ledger: PartLedger;
  /** The part that takes what is written now. */
  #open: PartFile | undefined;
  /** Sealed parts whose file is still needed by this writer. */
  readonly #sealed = new Map<string, PartFile>();
  #parts = 0;
  #hasUnsyncedNames = false;
  /** The checkpoint whose commit was begun: a repeat may find some of its bytes in the visible file. */
  #begun: number | undefined;
  /** The claims that were there before this one. */
  #seen: readonly Claim[] = [];
  /** Parts of earlier incarnations, to go once nothing needs them. */
  #leftovers: readonly string[] = [];

  constructor(settings: SinkSettings, context: SinkContext) {
    this.#settings = settings;
    this.#context = context;
    this.#lines = linesOf(settings);
    this.#ledger = new PartLedger(settings.path, { bytes: 0, digest: nothing });
    this.#backlog = {
      credits: context.credits,
      maxBytes: settings.maxBufferedBytes,
      bytes: 0,
      failed: error => {
        const fields = { sink: settings.name, reason: messageOf(error) };
        context.logger.warn(fields, 'output could not be written; it is kept and tried again at the next checkpoint');
      },
      lost: error => context.error(fileError('write', settings.path, error)),
    };
  }

  async restore(
    from: { readonly id: number; readonly token: number; readonly handle: Json } | undefined,
  ): Promise<void> {
    const { path, name, existing } = this.#settings;
    const { job, task, token } = this.#context;
    const handle = from && readHandle(from.handle, name);
    await this.#guard(async () => {
      this.#visible = await realPathOf(path);
      this.#folder = hiddenFolderOf(this.#visible);
      this.#seen = await readClaims(this.#folder);
      const own = { job, task, sink: name, token };
      const decided = async (claims: readonly Claim[]) => {
        const size = await sizeOf(this.#visible);
        const decision = takeover({ path, size, claims, own, existing, handle });
        if (decision instanceof TidemarkError) throw decision;
        return { ...decision, size };
      };
      await decided(this.#seen);

      // From here on an older incarnation that still starts fails: its half-made files go, and it finds this claim before
      // each last step. What it had finished before is there to be seen below.
      await makeFolder(this.#folder);
      await writeClaim(this.#folder, { format: 1, ...own, end: handle ? endOf(handle) : 0 }, true);
      await dropHalfMade(this.#folder, token, this.#seen);
      this.#leftovers = await otherParts(this.#folder, token);
      await this.#verifyNotOvertaken();
      const { replaces, size } = await decided(this.#seen);
      let digest = nothing;
      if (from && handle) {
        if (size === undefined) await (await open(this.#visible, 'a')).close();
        digest = await applyHandle(this.#visible, this.#folder, handle, () => {});
        this.#ledger = new PartLedger(path, { bytes: endOf(handle), digest }, { id: from.id, handle });
      }
      if (replaces) await this.#replace(handle, size ?? 0);
      await syncFolder(dirname(this.#visible));
      await dropClaims(this.#folder, this.#seen, token);
      if (!handle) await this.#sweep();
    });
    // Nothing lies before the first byte of a file but its header.
    if (this.#ledger.sealedEnd === 0 && this.#lines.header) this.#part().append(this.#lines.header, 0);
  }

  write(value: T): void {
    this.#part().append(this.#lines.line(value), 1);
  }

  barrier(id: number): void {
    const part = this.#open;
    this.#open = undefined;
    const sealed = part?.seal();
    if (part && sealed) this.#sealed.set(sealed.name, part);
    this.#ledger.draw(id, sealed);
  }

  async flush(id: number): Promise<Json> {
    const handle = this.#ledger.handle(id);
    for (const { name } of handle.parts) await this.#sealed.get(name)?.sync();
    if (this.#hasUnsyncedNames && handle.parts.length > 0) {
      await this.#guard(() => syncFolder(this.#folder));
      this.#hasUnsyncedNames = false;
    }
    return handle as Json;
  }

  async commit(id: number, json: Json): Promise<void> {
    if (this.#ledger.isCommitted(id)) return;
    const handle = readHandle(json, this.#settings.name);
    const digest = handle.length > 0 ? await this.#guard(() => this.#apply(id, handle)) : handle.before;
    const obsolete = this.#ledger.commit(id, handle, digest);
    for (const { name } of handle.parts) this.#sealed.delete(name);
    await this.#tidy(async () => {
      for (const { name } of obsolete) await rm(join(this.#folder, name), { force: true });
      await this.#sweep();
    });
  }

  abandon(id: number): void {
    this.#ledger.abandon(id);
  }

  async close(): Promise<void> {
    const unfinished = this.#open;
    this.#open = undefined;
    // A sealed part may belong to a checkpoint whose outcome nobody here knows: it stays for the next incarnation.
    for (const part of this.#sealed.values()) await part.close();
    await this.#tidy(async () => {
      await unfinished?.discard();
      if (this.#ledger.hasUncommitted) return;
      for (const { name } of this.#ledger.kept) await rm(join(this.#folder, name), { force: true });
    });
  }

  #part(): PartFile {
    if (!this.#open) {
      const name = `${this.#context.token}-${++this.#parts}-${randomBytes(4).toString('hex')}.part`;
      this.#open = new PartFile(this.#folder, name, this.#backlog);
      this.#hasUnsyncedNames = true;
    }
    return this.#open;
  }

  async #apply(id: number, handle: SinkHandle): Promise<string> {
    const { job, task, token } = this.#context;
    const isRepeat = this.#begun === id;
    const digest = await applyHandle(this.#visible, this.#folder, handle, async size => {
      await verifyClaim(this.#folder, token, this.#visible);
      this.#verifySize(size, handle, isRepeat);
      const end = endOf(handle);
      await writeClaim(this.#folder, { format: 1, job, task, sink: this.#settings.name, token, end }, false);
      this.#begun = id;
    });
    return digest;
  }

  #verifySize(size: number, handle: SinkHandle, isRepeat: boolean): void {
    if (size === handle.offset || (isRepeat && size > handle.offset && size <= endOf(handle))) return;
    throw new OutputChangedError(
      `The output "${this.#settings.path}" was ${size < handle.offset ? 'shortened' : 'appended to'} by somebody else: ` +
        `it has ${size} bytes, and committed checkpoints wrote ${handle.offset}. Put it back as it was and start the ` +
        'job again: nothing of it is lost.',
    );
  }

  async #replace(handle: SinkHandle | undefined, size: number): Promise<void> {
    const keep = handle ? endOf(handle) : 0;
    if (size > keep) {
      const fields = { sink: this.#settings.name, path: this.#settings.path, dropped: size - keep, kept: keep };
      this.#context.logger.warn(
        fields,
        handle ? 'output behind the restored checkpoint is dropped' : 'the output starts anew',
      );
    }
    const mayReplace = () => this.#verifyNotOvertaken();
    await replaceVisible(this.#visible, this.#folder, { token: this.#context.token, bytes: keep, mayReplace });
  }

  #verifyNotOvertaken(): Promise<void> {
    return verifyNotOvertaken(this.#folder, {
      token: this.#context.token,
      seen: this.#seen,
      visible: this.#settings.path,
    });
  }

  async #sweep(): Promise<void> {
    for (const name of this.#leftovers) await rm(join(this.#folder, name), { force: true });
    this.#leftovers = [];
  }

  /** What only frees space: that it failed is told, and harms nothing. */
  async #tidy(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const fields = { sink: this.#settings.name, folder: this.#folder, reason: messageOf(error) };
      this.#context.logger.warn(fields, 'files that are no longer needed could not be removed');
    }
  }

  async #guard<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      if (reasonOf(error) === 'ENOENT' && this.#folder !== '') await this.#verifyNotOvertaken();
      if (reasonOf(error) === 'ENOENT' && (error as NodeJS.ErrnoException).path === this.#visible) {
        throw new OutputChangedError(
          `The output "${this.#settings.path}" was removed by somebody else. Put it back as it was and start the job again.`,
          { cause: error },
        );
      }
      throw fileError('write', this.#settings.path, error);
    }
  }
}
