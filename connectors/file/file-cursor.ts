import { BadRecordError, messageOf, TidemarkError } from '../../lib/index.ts';
import { ByteWindow } from './byte-window.ts';
import { fileError, reasonOf } from './errors.ts';
import { blockBytes, digestBlock, type Fingerprint } from './fingerprint.ts';
import type { Format } from './format/format.ts';
import { type Input, openInput } from './input.ts';
import { type Lead, leadBytes } from './lead.ts';
import type { FilePosition } from './position.ts';
import type { Batch, Place, RecordDecoder } from './record-decoder.ts';
import { ScanFault, type Scanner, Spans } from './scan/scanner.ts';
import { type Before, changed, lookBefore, skipTo, verifySame } from './verify.ts';

/** Line ends and space between records that may surround a record of `maxRecordBytes`. */
const slackBytes = 64 * 1024;

/** How one file is read. */
export interface FileRules<T> {
  readonly path: string;
  readonly gzip: boolean;
  readonly format: Format;
  readonly maxRecordBytes: number;
  /** Bytes of one read. */
  readonly readBytes: number;
  /** A decoder for this file. */
  decoder(): RecordDecoder<T>;
}

/** Opens a file at a position, or at its beginning; a `SourcePositionError` when it is not the file that was read. */
export async function openCursor<T>(rules: FileRules<T>, at: FilePosition | undefined): Promise<FileCursor<T>> {
  const decoder = rules.decoder();
  const offset = at?.offset ?? 0;
  if (decoder.needsHeader && offset > 0) await readHeader(rules, decoder);
  const input = await opened(rules, offset);
  try {
    if (!at || offset === 0) return new FileCursor(rules, input, decoder, undefined);
    const before = input.handle ? await lookBefore(input.handle, offset) : await skipTo(input, offset);
    verifySame(rules.path, at, offset, before.found);
    return new FileCursor(rules, input, decoder, { position: at, before });
  } catch (error) {
    await input.close();
    if (!isGzipFault(error)) throw fileError('read', rules.path, error);
    throw changed(rules.path, `its gzip data is damaged or cut before what was read (${messageOf(error)})`);
  }
}

async function opened<T>({ path, gzip }: FileRules<T>, offset: number): Promise<Input> {
  try {
    return await openInput(path, gzip, offset);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** Shows the first record of a file to a decoder that is used further on in it. */
async function readHeader<T>(rules: FileRules<T>, decoder: RecordDecoder<T>): Promise<void> {
  const cursor = new FileCursor(rules, await opened(rules, 0), decoder, undefined);
  try {
    while (decoder.needsHeader && (cursor.take(1) || (await cursor.fill()))) {}
    if (decoder.needsHeader) cursor.takeLast();
  } finally {
    await cursor.close();
  }
}

/** One file that is being read, at the position behind the last record that was taken from it. */
export class FileCursor<T> implements Place {
  readonly path: string;
  readonly input: Input;
  readonly window: ByteWindow;
  /** Records taken or skipped so far. */
  records = 0;
  /** Whether the last record had no line end. */
  isOpen = false;
  readonly #rules: FileRules<T>;
  readonly #decoder: RecordDecoder<T>;
  readonly #scanner: Scanner;
  readonly #spans = new Spans();
  #head: Buffer = Buffer.alloc(0);
  #headDigest: string | undefined;
  #lead: Lead | undefined = 'byte-order-mark';
  #leadBytes = 0;

  constructor(
    rules: FileRules<T>,
    input: Input,
    decoder: RecordDecoder<T>,
    at: { readonly position: FilePosition; readonly before: Before } | undefined,
  ) {
    this.path = rules.path;
    this.input = input;
    this.#rules = rules;
    this.#decoder = decoder;
    this.#scanner = rules.format.scanner(at !== undefined);
    this.window = new ByteWindow(at?.position.offset ?? 0, at?.before.tail ?? Buffer.alloc(0), rules.readBytes);
    if (at) {
      this.records = at.position.record;
      this.isOpen = at.position.open;
      this.#head = at.before.head;
      this.#lead = at.position.open ? 'line-end' : undefined;
    }
  }

  /** Byte behind the last record taken, uncompressed. */
  get offset(): number {
    return this.window.offset;
  }

  /** Bytes of the file on disk that were used so far. */
  get consumed(): number {
    return this.#rules.gzip ? this.input.consumed() : this.window.offset;
  }

  offsetOf(index: number): number {
    return this.window.offsetOf(index);
  }

  /** What the bytes before the position look like; O(1). */
  fingerprint(): Fingerprint {
    const tail = digestBlock(this.window.before());
    if (this.offset < blockBytes) return { head: tail, tail };
    this.#headDigest ??= digestBlock(this.#head);
    return { head: this.#headDigest, tail };
  }

  /** The next records that are in memory, at most `limit`, and moves the position behind them; `undefined` when there are none. */
  take(limit: number): Batch<T> | undefined {
    return this.#take(false, (from, bytes) => this.#scanner.scan(bytes, from, this.#spans, limit));
  }

  /** The same once nothing more can be read: a last record without line end, too. */
  takeLast(): Batch<T> | undefined {
    return this.#take(true, (from, bytes) => this.#scanner.end(bytes, from, this.#spans));
  }

  /** Reads on; `false` at the end of the file. */
  async fill(): Promise<boolean> {
    if (this.window.ahead > this.#rules.maxRecordBytes + slackBytes) {
      throw this.#decoder.tooLong(this.window.bytes, this.window.start, this);
    }
    const room = this.window.room(this.#rules.readBytes);
    const count = await this.#read(room);
    if (this.#head.length < blockBytes) {
      this.#head = Buffer.concat([this.#head, room.subarray(0, Math.min(count, blockBytes - this.#head.length))]);
    }
    this.window.filled(count);
    return count > 0;
  }

  async close(): Promise<void> {
    await this.input.close();
  }

  #take(isEnd: boolean, scan: (from: number, bytes: Buffer) => void): Batch<T> | undefined {
    const { bytes, start } = this.window;
    if (!this.#passLead(bytes.subarray(start), isEnd)) return undefined;
    this.#spans.clear();
    try {
      scan(start + this.#leadBytes, bytes);
    } catch (error) {
      throw error instanceof ScanFault ? this.#decoder.fault(error, bytes, this) : error;
    }
    if (this.#spans.count === 0) return undefined;
    const batch = this.#decoder.decode(bytes, this.#spans, this);
    this.records += this.#spans.count;
    this.isOpen = isEnd && this.#rules.format.isByLine;
    this.window.start = this.#spans.behind(start);
    this.#leadBytes = 0;
    return batch;
  }

  /** Finds out what stands before the next record; `false` while too little was read for that. */
  #passLead(bytes: Uint8Array, isEnd: boolean): boolean {
    if (this.#lead === undefined) return true;
    const found = leadBytes(this.#lead, bytes, isEnd);
    if (found === undefined) return false;
    if (found === 'UTF-16') {
      throw new BadRecordError(
        `"${this.path}" is UTF-16, and sources read UTF-8. Convert it, for example with "iconv -f UTF-16 -t UTF-8".`,
        { context: { path: this.path } },
      );
    }
    if (typeof found === 'string') {
      throw changed(this.path, `its last line, which had no line end at byte ${this.offset}, was ${found}`);
    }
    this.#lead = undefined;
    this.#leadBytes = found;
    return true;
  }

  async #read(room: Uint8Array): Promise<number> {
    try {
      return await this.input.read(room);
    } catch (error) {
      if (!isGzipFault(error)) throw fileError('read', this.path, error);
      throw new BadRecordError(
        `The gzip data of "${this.path}" is damaged or cut behind byte ${this.window.readTo} of its content ` +
          `(${messageOf(error)}). Put a whole file there.`,
        { cause: error, context: { path: this.path } },
      );
    }
  }
}

function isGzipFault(error: unknown): boolean {
  return !(error instanceof TidemarkError) && reasonOf(error)?.startsWith('Z_') === true;
}
