import { stat } from 'node:fs/promises';
import type { Subscription } from 'rxjs';
import type { BadRecordError, Json, SourceContext, SourceReader } from '../../lib/index.ts';
import { fileError } from './errors.ts';
import { type FileCursor, type FileRules, openCursor } from './file-cursor.ts';
import { digestBlock } from './fingerprint.ts';
import { hasGrown } from './follow.ts';
import type { Format } from './format/format.ts';
import type { SourceSettings } from './options.ts';
import { type DoneFile, type FilePosition, readPosition } from './position.ts';
import { type Batch, RecordDecoder } from './record-decoder.ts';
import { fingerprintDone, fingerprintOpen, verifyDone } from './verify.ts';

/** In what pieces a source reads and gives. */
export interface Pace {
  /** The most records in one call of the task; then timers, barriers and other input have their turn. */
  readonly batchRecords: number;
  /** Bytes of one read. */
  readonly readBytes: number;
}

const usualPace: Pace = { batchRecords: 512, readBytes: 256 * 1024 };
const loggedSkips = 10;
const none = digestBlock(new Uint8Array(0));

/** Opens the files of a source at a position; verifies every file that was read before. */
export async function openReader<T>(
  format: Format,
  settings: SourceSettings,
  json: Json | undefined,
  context: SourceContext<T>,
  pace: Pace = usualPace,
): Promise<SourceReader> {
  const { paths, name } = settings;
  const position = json === undefined ? undefined : readPosition(json, format.name, name, paths.length);
  const done = position?.done ?? [];
  for (const [index, file] of done.entries()) {
    const path = paths[index] ?? '';
    const hasGrown = await guarded(path, () => verifyDone(path, file));
    if (hasGrown) context.logger.warn({ path }, 'an input file has grown since its end was reached: that is not read');
  }
  const reader = new FileReader<T>(format, settings, context, pace, await sizes(paths), done);
  await reader.openFile(position);
  return reader;
}

class FileReader<T> implements SourceReader {
  readonly #format: Format;
  readonly #settings: SourceSettings;
  readonly #context: SourceContext<T>;
  readonly #pace: Pace;
  readonly #sizes: readonly number[];
  #done: readonly DoneFile[];
  #cursor: FileCursor<T> | undefined;
  #isPaused = false;
  #isClosed = false;
  #hasCompleted = false;
  #skipped = 0;
  /** Ends what the loop waits for. */
  #wake: (() => void) | undefined;
  #timer: Subscription | undefined;
  #loop: Promise<void> | undefined;

  constructor(
    format: Format,
    settings: SourceSettings,
    context: SourceContext<T>,
    pace: Pace,
    sizes: readonly number[],
    done: readonly DoneFile[],
  ) {
    this.#format = format;
    this.#settings = settings;
    this.#context = context;
    this.#pace = pace;
    this.#sizes = sizes;
    this.#done = done;
  }

  /** Opens the file behind those that are done, if there is one. */
  async openFile(at?: FilePosition): Promise<void> {
    const path = this.#settings.paths[this.#done.length];
    if (path !== undefined) this.#cursor = await openCursor(this.#rules(path), at);
  }

  start(): void {
    this.#loop = this.#run();
  }

  position(): Json {
    const cursor = this.#cursor;
    const position: FilePosition = {
      format: this.#format.name,
      file: this.#done.length,
      record: cursor?.records ?? 0,
      offset: cursor?.offset ?? 0,
      ...(cursor?.fingerprint() ?? { head: none, tail: none }),
      open: cursor?.isOpen ?? false,
      done: this.#done as DoneFile[],
    };
    return position as Json;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake?.();
  }

  progress(): number | undefined {
    if (this.#settings.follow) return undefined;
    if (this.#hasCompleted) return 1;
    const total = this.#sizes.reduce((sum, size) => sum + size, 0);
    const read = this.#done.reduce((sum, { bytes }) => sum + bytes, this.#cursor?.consumed ?? 0);
    return total === 0 ? 0 : Math.min(1, read / total);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.unsubscribe();
    this.#wake?.();
    await this.#loop;
    await this.#closeFile();
  }

  async #run(): Promise<void> {
    try {
      while (this.#cursor) {
        if (!(await this.#readFile(this.#cursor))) return;
        await this.#finishFile(this.#cursor);
      }
      if (!(await this.#mayGive())) return;
      if (this.#skipped > 0)
        this.#context.logger.warn({ skipped: this.#skipped }, 'records that cannot be read were skipped');
      this.#hasCompleted = true;
      this.#context.complete();
    } catch (error) {
      if (!this.#isClosed) this.#context.error(error);
    } finally {
      await this.#closeFile().catch(error => this.#context.logger.warn({ error }, 'closing an input file failed'));
    }
  }

  /** Gives all records of a file; `false` when the source was closed in the meantime. */
  async #readFile(cursor: FileCursor<T>): Promise<boolean> {
    while (await this.#mayGive()) {
      const batch = cursor.take(this.#pace.batchRecords);
      if (batch) await this.#give(batch);
      else if (!(await cursor.fill())) {
        if (this.#isFollowed()) await this.#growth(cursor);
        else return this.#giveLast(cursor);
      }
    }
    return false;
  }

  async #giveLast(cursor: FileCursor<T>): Promise<boolean> {
    while (await this.#mayGive()) {
      const batch = cursor.takeLast();
      if (!batch) return true;
      await this.#give(batch);
    }
    return false;
  }

  /** The task handles the batch before this returns; then everything else has its turn. */
  #give({ values, timestamps }: Batch<T>): Promise<void> {
    if (values.length > 0) this.#context.batch(values, timestamps);
    return new Promise(resolve => setImmediate(resolve));
  }

  /** Waits while the source is paused; `false` once it is closed. */
  async #mayGive(): Promise<boolean> {
    while (this.#isPaused && !this.#isClosed) await this.#woken(() => {});
    return !this.#isClosed;
  }

  /** Waits until `begin`'s callback is called, or the source is resumed or closed. */
  async #woken(begin: (wake: () => void) => void): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>(resolve => {
      this.#wake = resolve;
      begin(resolve);
    });
    this.#wake = undefined;
  }

  #isFollowed(): boolean {
    return this.#settings.follow && this.#done.length === this.#settings.paths.length - 1;
  }

  async #growth(cursor: FileCursor<T>): Promise<void> {
    do {
      await this.#woken(wake => {
        this.#timer = this.#context.scheduler.schedule(() => wake(), this.#settings.pollInterval);
      });
      this.#timer?.unsubscribe();
    } while (!this.#isClosed && !(await hasGrown(cursor)));
  }

  async #finishFile(cursor: FileCursor<T>): Promise<void> {
    const { input, window, path } = cursor;
    const done = await guarded(path, () =>
      input.handle ? fingerprintOpen(input.handle, path, window.readTo) : fingerprintDone(path),
    );
    await cursor.close();
    // In one step, so that a position is either at the end of this file or at the beginning of the next.
    this.#done = [...this.#done, done];
    this.#cursor = undefined;
    if (!this.#isClosed) await this.openFile();
  }

  async #closeFile(): Promise<void> {
    const cursor = this.#cursor;
    await cursor?.close();
  }

  #rules(path: string): FileRules<T> {
    const { maxRecordBytes, isGzip } = this.#settings;
    const decoder = () => new RecordDecoder<T>(this.#format, this.#settings as never, error => this.#skip(error));
    const { readBytes } = this.#pace;
    return { path, gzip: isGzip(path), format: this.#format, maxRecordBytes, readBytes, decoder };
  }

  #skip(error: BadRecordError): void {
    this.#skipped++;
    if (this.#skipped > loggedSkips) return;
    const isLast = this.#skipped === loggedSkips;
    this.#context.logger.warn(
      { ...error.context, reason: error.message },
      isLast ? 'skipped a record; more are not logged' : 'skipped a record',
    );
  }
}

async function sizes(paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map(path => guarded(path, async () => (await stat(path)).size)));
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError('read', path, error);
  }
}
