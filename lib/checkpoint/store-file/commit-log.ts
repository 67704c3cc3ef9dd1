import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { StateLostError, StoreUnavailableError } from '../../errors.ts';
import type { TaskRef } from '../snapshot-store.ts';
import type { ManifestKey } from '../store-rules.ts';
import { type CommitEntry, decodeEntry, digestOf, encodeEntry } from './commit-entry.ts';
import type { FileSystem } from './file-system.ts';

/** An entry as it was read. */
export interface Head {
  readonly entry: CommitEntry;
  readonly text: string;
}

/**
 * The fence of a task without a lock: numbered entries, each put in its slot by link(2), which succeeds for one process only.
 * Whoever wants to write builds on the newest entry and loses when somebody was faster.
 *
 * Old entries are deleted, lowest first, and the newest two stay; so a slow process can find a slot free that was filled and
 * deleted long ago. It notices afterwards, because then the entry that it built on is gone too. Entries name their
 * predecessor by digest, so no leftover of such a process can be taken for a real one. See
 * docs/decisions/0003-file-store-fence.md for the argument.
 */
export class CommitLog {
  readonly #fs: FileSystem;
  readonly #ref: TaskRef;
  readonly #folder: string;
  readonly #tmp: string;
  #known: Head | undefined;
  /** The newest slot whose name this process knows to be durable. */
  #durable = -1;

  constructor(fs: FileSystem, ref: TaskRef, taskFolder: string) {
    this.#fs = fs;
    this.#ref = ref;
    this.#folder = join(taskFolder, 'commits');
    this.#tmp = join(taskFolder, 'tmp');
  }

  /** The newest entry at some moment during the call; `undefined` before the first. */
  async head(): Promise<Head | undefined> {
    const known = this.#known;
    if (known && !(await this.#exists(known.entry.slot + 1)) && (await this.#text(known.entry.slot)) === known.text) {
      return known;
    }
    for (let attempt = 0, unfounded = 0; attempt < 1_000; attempt++) {
      const slots = await this.#slots();
      if (!slots) {
        if (this.#known) throw this.#lost('is gone: it was removed or unmounted while in use');
        return undefined;
      }
      const newest = slots.at(-1) ?? -1;
      const text = newest < 0 ? undefined : await this.#text(newest);
      if (text !== undefined) {
        const entry = decodeEntry(text, this.#path(newest));
        if (await this.#isFounded(entry)) {
          const head = { entry, text };
          this.#remember(head);
          return head;
        }
      }
      // Newer entries came while this looked, and the older ones went: again. But that does not happen all the time.
      if (newest >= 0 && text === undefined) continue;
      if (++unfounded <= 20) continue;
      throw this.#lost(
        newest < 0 ? 'is empty' : `does not hold together: ${newest} does not follow from ${newest - 1}`,
      );
    }
    throw new StoreUnavailableError(
      `Other processes change ${this.#folder} faster than it can be read: find out which ones run the same task.`,
    );
  }

  /** Makes the log, empty but for its first entry; nothing when another process has just done so. */
  async create(): Promise<void> {
    const fs = this.#fs;
    const folder = join(this.#tmp, `0-${randomUUID()}`);
    const { job, task } = this.#ref;
    const text = encodeEntry({
      format: 1,
      job,
      task,
      slot: 0,
      token: 0,
      confirmed: [],
      previous: '',
      nonce: randomUUID(),
    });
    await fs.makeFolder(folder);
    await fs.write(join(folder, '0'), Buffer.from(text));
    await fs.sync(folder);
    if ((await fs.moveFolder(folder, this.#folder)) === 'exists') await fs.remove(folder);
  }

  /**
   * Puts an entry behind `base`, durably; `undefined` when another process was faster, or may have been. The entry that lost
   * has no effect, except that one which was overtaken at once may have counted for a moment.
   */
  async append(base: Head, token: number, confirmed: readonly ManifestKey[]): Promise<Head | undefined> {
    const fs = this.#fs;
    const slot = base.entry.slot + 1;
    const entry = {
      ...base.entry,
      slot,
      token,
      confirmed: [...confirmed],
      previous: digestOf(base.text),
      nonce: randomUUID(),
    };
    const text = encodeEntry(entry);
    // The base may be another process's, not yet durable: what builds on it must not outlive it.
    if (this.#durable < base.entry.slot) await fs.sync(this.#folder);
    const temporary = join(this.#tmp, `${token}-${randomUUID()}`);
    await fs.write(temporary, Buffer.from(text));
    const outcome = await fs.link(temporary, this.#path(slot));
    await fs.remove(temporary);
    // A network file system may have linked and then lost the answer.
    if (outcome === 'missing' || (outcome === 'exists' && (await this.#text(slot)) !== text)) return undefined;
    if ((await this.#text(base.entry.slot)) !== base.text) return undefined;
    await this.makeDurable(slot);
    const head = { entry, text };
    this.#remember(head);
    return head;
  }

  /** Makes entries durable up to `slot`, which is there. */
  async makeDurable(slot: number): Promise<void> {
    if (this.#durable >= slot) return;
    await this.#fs.sync(this.#folder);
    this.#durable = Math.max(this.#durable, slot);
  }

  /** Deletes entries that no longer matter once `head` is there. */
  async trim(head: Head): Promise<void> {
    for (const slot of (await this.#slots()) ?? []) {
      // Lowest first, one after another: that an entry is gone must mean that all before it are.
      if (slot < head.entry.slot - 1) await this.#fs.remove(this.#path(slot));
    }
  }

  /** Whether the entry before this one is still there: of all that stand in a slot which had been deleted, none has it. */
  async #isFounded({ slot, previous }: CommitEntry): Promise<boolean> {
    if (slot === 0) return true; // only `create` makes it, and only where there is no log
    const before = await this.#text(slot - 1);
    return before !== undefined && digestOf(before) === previous;
  }

  #remember(head: Head): void {
    if (!this.#known || this.#known.entry.slot < head.entry.slot) this.#known = head;
  }

  async #slots(): Promise<number[] | undefined> {
    const names = await this.#fs.list(this.#folder);
    return names
      ?.filter(name => /^(0|[1-9]\d*)$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  #path(slot: number): string {
    return join(this.#folder, `${slot}`);
  }

  #exists(slot: number): Promise<boolean> {
    return this.#fs.exists(this.#path(slot));
  }

  async #text(slot: number): Promise<string | undefined> {
    const bytes = await this.#fs.read(this.#path(slot));
    return bytes && Buffer.from(bytes).toString();
  }

  #lost(what: string): StateLostError {
    return new StateLostError(
      `The commit log ${this.#folder} ${what}. Put the folder back, or restore it from a copy, before the job is started again.`,
      { context: { ...this.#ref } },
    );
  }
}
