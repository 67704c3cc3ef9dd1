import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { CreditHolder } from '../../../lib/index.ts';

const chunkChars = 64 * 1024;
const chunkRecords = 512;
/** How long fewer records wait for more, ms: they hold credits meanwhile. */
const lingerMs = 5;

/** What all queues of a sink share. */
export interface Backlog {
  readonly credits: CreditHolder;
  readonly maxBytes: number;
  /** Bytes in memory. */
  bytes: number;
  /** Writing failed outside a call; it is tried again at the next `sync`. */
  failed(error: unknown): void;
  /** What was written may not have reached the disk, and nobody can write it again: only a restart helps. */
  lost(error: unknown): void;
}

interface Chunk {
  readonly bytes: Buffer;
  /** Where in the file it goes. */
  readonly position: number;
  readonly records: number;
  /** How much of it is written. */
  written: number;
}

/**
 * Text on its way to one file: gathered into chunks that are written one after another beside the stream. A record holds a
 * credit until its chunk is written, so a disk that is too slow or full pauses the sources; past `maxBytes` in memory the
 * oldest chunks are written before `append` returns. What could not be written is kept and tried again.
 */
export class ChunkQueue {
  readonly #backlog: Backlog;
  readonly #open: () => Promise<FileHandle>;
  /** `append`: the file is opened for appending, and positions are the system's. */
  readonly #mode: 'positional' | 'append';
  readonly #encoded: ((bytes: Buffer) => void) | undefined;
  readonly #chunks: Chunk[] = [];
  #handle: FileHandle | undefined;
  #text = '';
  #records = 0;
  #bytes = 0;
  #writing: Promise<void> | undefined;
  #hasFailed = false;
  #lost: { readonly error: unknown } | undefined;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    backlog: Backlog,
    mode: 'positional' | 'append',
    open: () => Promise<FileHandle>,
    encoded?: (bytes: Buffer) => void,
  ) {
    this.#backlog = backlog;
    this.#mode = mode;
    this.#open = open;
    this.#encoded = encoded;
  }

  /** Bytes of everything that was encoded: after `encode`, of everything appended. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a record's text (0 records for a header). */
  append(text: string, records: number): void {
    this.#backlog.credits.acquire(records);
    this.#records += records;
    this.#text += text;
    this.#backlog.bytes += text.length;
    if (this.#text.length >= chunkChars || this.#records >= chunkRecords) {
      this.encode();
      this.#begin();
      if (this.#backlog.bytes > this.#backlog.maxBytes) this.#writeNow();
    } else {
      this.#timer ??= setTimeout(() => this.#linger(), lingerMs);
    }
  }

  /** Closes the chunk that is being gathered. */
  encode(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '') return;
    const bytes = Buffer.from(this.#text);
    this.#chunks.push({ bytes, position: this.#bytes, records: this.#records, written: 0 });
    this.#backlog.bytes += bytes.length - this.#text.length;
    this.#bytes += bytes.length;
    this.#text = '';
    this.#records = 0;
    this.#encoded?.(bytes);
  }

  /** Resolves with the open file once everything appended so far is written; rejects with the system's error if it cannot be. */
  async drain(): Promise<FileHandle> {
    this.encode();
    await this.#writing?.catch(() => {});
    this.#hasFailed = false;
    while (this.#chunks.length > 0 && !this.#isClosed) {
      this.#begin();
      await this.#writing;
    }
    if (this.#isClosed) throw new Error('the sink was closed');
    this.#handle ??= await this.#open();
    return this.#handle;
  }

  /** The same once it is on the disk, too. */
  async sync(): Promise<FileHandle> {
    const handle = await this.drain();
    // A system that failed to bring pages to the disk may forget them and succeed the next time: once is for ever.
    if (this.#lost) throw this.#lost.error;
    try {
      await handle.sync();
    } catch (error) {
      this.#lost = { error };
      this.#backlog.lost(error);
      throw error;
    }
    return handle;
  }

  /** Drops what is not written, gives back its credits, and closes the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.encode();
    await this.#writing?.catch(() => {});
    for (const chunk of this.#chunks.splice(0)) this.#done(chunk);
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #linger(): void {
    this.encode();
    this.#begin();
  }

  /** Starts to write unless that is under way, or failed since the last `drain`. */
  #begin(): void {
    if (this.#writing || this.#hasFailed || this.#chunks.length === 0) return;
    const writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    this.#writing = writing;
    writing.catch(error => {
      this.#hasFailed = true;
      this.#backlog.failed(error);
    });
  }

  async #write(): Promise<void> {
    this.#handle ??= await this.#open();
    for (let chunk = this.#chunks[0]; chunk && !this.#isClosed; chunk = this.#chunks[0]) {
      while (chunk.written < chunk.bytes.length) {
        const { bytesWritten } = await this.#handle.write(
          chunk.bytes,
          chunk.written,
          chunk.bytes.length - chunk.written,
          this.#mode === 'append' ? null : chunk.position + chunk.written,
        );
        chunk.written += bytesWritten;
      }
      this.#chunks.shift();
      this.#done(chunk);
    }
  }

  /** Writes chunks in this very step until memory is within its bound; the one that is being written is left alone. */
  #writeNow(): void {
    const first = this.#writing ? 1 : 0;
    if (!this.#handle || (first === 1 && this.#mode === 'append')) return;
    while (this.#backlog.bytes > this.#backlog.maxBytes) {
      const chunk = this.#chunks[first];
      if (!chunk) return;
      while (chunk.written < chunk.bytes.length) {
        const position = this.#mode === 'append' ? null : chunk.position + chunk.written;
        chunk.written += writeSync(
          this.#handle.fd,
          chunk.bytes,
          chunk.written,
          chunk.bytes.length - chunk.written,
          position,
        );
      }
      this.#chunks.splice(first, 1);
      this.#done(chunk);
    }
  }

  #done(chunk: Chunk): void {
    this.#backlog.bytes -= chunk.bytes.length;
    this.#backlog.credits.release(chunk.records);
  }
}
