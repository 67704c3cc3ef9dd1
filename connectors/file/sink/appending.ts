import { type FileHandle, open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Json, messageOf, type SinkContext, type SinkWriter } from '../../../lib/index.ts';
import { fileError } from '../errors.ts';
import type { SinkSettings } from '../options.ts';
import { readBlock } from '../verify.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { makeFolder } from './folders.ts';
import { type Lines, linesOf } from './serialize.ts';

const lineFeed = 10;

/**
 * Appends each record to the visible file as it comes. `at-least-once`: everything before a barrier is on the disk before
 * its checkpoint counts, and is written again when it does not. `none`: whatever the system has written by then.
 */
export class AppendingWriter<T> implements SinkWriter<T> {
  readonly #settings: SinkSettings;
  readonly #lines: Lines;
  readonly #queue: ChunkQueue;
  #isClosed = false;

  constructor(settings: SinkSettings, context: SinkContext) {
    this.#settings = settings;
    this.#lines = linesOf(settings);
    const failed = (error: unknown) => {
      const fields = { sink: settings.name, reason: messageOf(error) };
      context.logger.warn(fields, 'output could not be written; it is kept and tried again at the next checkpoint');
    };
    const lost = (error: unknown) => context.error(fileError('write', settings.path, error));
    const backlog = { credits: context.credits, maxBytes: settings.maxBufferedBytes, bytes: 0, failed, lost };
    this.#queue = new ChunkQueue(backlog, 'append', () => open(settings.path, 'a'));
  }

  async restore(from: { readonly handle: Json } | undefined): Promise<void> {
    const { path, existing } = this.#settings;
    await this.#guard(async () => {
      await makeFolder(dirname(path));
      const flag = !from && existing === 'truncate' ? 'w+' : 'a+';
      const file = await open(path, flag);
      try {
        const found = await file.stat();
        if (!found.isFile()) return;
        const keep = await endOfLines(file, found.size, flushedBytes(from?.handle));
        if (keep < found.size) await truncate(path, keep);
        if (keep === 0 && this.#lines.header) this.#queue.append(this.#lines.header, 0);
        else if (keep > 0 && (await lastByte(file, keep)) !== lineFeed) this.#queue.append('\n', 0);
      } finally {
        await file.close();
      }
    });
  }

  write(value: T): void {
    try {
      this.#queue.append(this.#lines.line(value), 1);
    } catch (error) {
      throw fileError('write', this.#settings.path, error);
    }
  }

  barrier(): void {
    this.#queue.encode();
  }

  async flush(): Promise<Json> {
    return this.#guard(async () => {
      if (this.#settings.guarantee === 'none') {
        await this.#queue.drain();
        return null;
      }
      const file = await this.#queue.sync();
      return { bytes: (await file.stat()).size };
    });
  }

  commit(): void {}

  abandon(): void {}

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#guard(async () => {
      await this.#queue.drain().finally(() => this.#queue.close());
    });
  }

  async #guard<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw fileError('write', this.#settings.path, error);
    }
  }
}

/** Bytes that the restored checkpoint had on the disk; `undefined` when nothing is known. */
function flushedBytes(handle: Json | undefined): number | undefined {
  const bytes = (handle as { readonly bytes?: unknown } | null | undefined)?.bytes;
  return typeof bytes === 'number' ? bytes : undefined;
}

/**
 * The end of the last whole line. A line that a crash tore is behind what the checkpoint had written, so it comes again and
 * is cut; without a checkpoint nothing is cut.
 */
async function endOfLines(file: FileHandle, size: number, flushed: number | undefined): Promise<number> {
  if (flushed === undefined || size <= flushed) return size;
  for (let to = size; to > flushed; ) {
    const from = Math.max(flushed, to - 64 * 1024);
    const block = await readBlock(file, from, to);
    const at = block.lastIndexOf(lineFeed);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return flushed;
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  return (await readBlock(file, size - 1, size))[0];
}
