import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../errors.ts';
import { type Backlog, ChunkQueue } from './chunk-queue.ts';
import type { PartRef } from './handle.ts';

/** The bytes between two barriers, on their way to a file that only its writer knows until a checkpoint names it. */
export class PartFile {
  readonly path: string;
  readonly #name: string;
  readonly #queue: ChunkQueue;
  readonly #hash = createHash('sha256');
  #isSynced = false;

  constructor(folder: string, name: string, backlog: Backlog) {
    this.#name = name;
    this.path = join(folder, name);
    this.#queue = new ChunkQueue(
      backlog,
      'positional',
      () => open(this.path, 'wx'),
      bytes => this.#hash.update(bytes),
    );
  }

  append(text: string, records: number): void {
    try {
      this.#queue.append(text, records);
    } catch (error) {
      throw fileError('write', this.path, error);
    }
  }

  /** Nothing more comes; called once. */
  seal(): PartRef {
    this.#queue.encode();
    return { name: this.#name, length: this.#queue.bytes, sha256: this.#hash.digest('hex') };
  }

  /** Resolves once every byte is on the disk; may be called again after a failure. */
  async sync(): Promise<void> {
    if (this.#isSynced) return;
    try {
      await this.#queue.sync();
      this.#isSynced = true;
      await this.#queue.close();
    } catch (error) {
      throw fileError('write', this.path, error);
    }
  }

  /** Gives the file back; its bytes stay. */
  async close(): Promise<void> {
    await this.#queue.close();
  }

  /** Removes it; for a part that no checkpoint will ever name. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}
