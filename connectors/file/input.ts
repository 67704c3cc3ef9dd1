import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';

/** The bytes of one file, one piece after another; compressed files uncompressed. */
export interface Input {
  /** Reads on into `into`; the number of bytes, 0 at the end (a file that grows may have more later). */
  read(into: Uint8Array): Promise<number>;
  /** Bytes of the file on disk behind which reading is. */
  consumed(): number;
  /** The open file, where it can be read at any place. */
  readonly handle: FileHandle | undefined;
  close(): Promise<void>;
}

/** Opens `path` at byte `offset`; compressed files at their beginning only. */
export async function openInput(path: string, gzip: boolean, offset: number): Promise<Input> {
  const handle = await open(path, 'r');
  return gzip ? new GzipInput(handle) : new PlainInput(handle, offset);
}

class PlainInput implements Input {
  readonly handle: FileHandle;
  #offset: number;

  constructor(handle: FileHandle, offset: number) {
    this.handle = handle;
    this.#offset = offset;
  }

  async read(into: Uint8Array): Promise<number> {
    const { bytesRead } = await this.handle.read(into, 0, into.length, this.#offset);
    this.#offset += bytesRead;
    return bytesRead;
  }

  consumed(): number {
    return this.#offset;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

class GzipInput implements Input {
  readonly handle = undefined;
  readonly #file: ReadStream;
  readonly #gunzip: Gunzip;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #closed: Promise<void>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(handle: FileHandle) {
    this.#file = createReadStream('', { fd: handle, highWaterMark: 64 * 1024 });
    this.#gunzip = createGunzip({ chunkSize: 64 * 1024 });
    this.#closed = new Promise<void>(resolve => this.#file.once('close', () => resolve()));
    // What goes wrong reaches the iterator below, because the pipeline destroys the last stream with it.
    pipeline(this.#file, this.#gunzip, () => {});
    this.#pieces = this.#gunzip[Symbol.asyncIterator]();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#piece.length === 0) {
      const step = await this.#pieces.next();
      if (step.done) return 0;
      this.#piece = step.value;
    }
    const count = Math.min(into.length, this.#piece.length);
    into.set(this.#piece.subarray(0, count));
    this.#piece = this.#piece.subarray(count);
    return count;
  }

  consumed(): number {
    return this.#gunzip.bytesWritten;
  }

  async close(): Promise<void> {
    this.#gunzip.destroy();
    this.#file.destroy();
    await this.#closed;
  }
}
