import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ExternalError, InternalError, messageOf, StateLostError } from '../errors.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { type CompactedSegment, type CompactStoredOptions, compactStored, type StoredSegment } from './compaction.ts';
import { rawLengthOf } from './segment.ts';

/** For the thread, in compaction-worker.ts. */
export interface CompactionRequest {
  readonly id: number;
  readonly segments: readonly StoredSegment[];
  readonly options: CompactStoredOptions;
}

export interface CompactionReply {
  readonly id: number;
  readonly segments?: readonly CompactedSegment[];
  readonly failed?: { readonly isStateLost: boolean; readonly message: string };
}

export interface CompactionThreadOptions {
  /** Ms without work after which the thread ends; it starts again when it is needed. */
  readonly idleMs?: number;
  /** Raw bytes below which starting a thread is not worth it; about 2 ms of work at the default. */
  readonly inlineBytes?: number;
  /** The thread's program, for tests. */
  readonly program?: URL;
}

interface Waiting {
  resolve(segments: CompactedSegment[]): void;
  reject(error: unknown): void;
}

// Beside this file, in source and in the compiled package.
const program = new URL(
  `./compaction-worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** Compacts segments on a thread of its own, so that records do not wait for it. */
export class CompactionThread {
  readonly #options: Required<CompactionThreadOptions>;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #requests = 0;
  #isClosed = false;

  constructor(options: CompactionThreadOptions = {}) {
    this.#options = { idleMs: 10_000, inlineBytes: 64 * 1024, program, ...options };
  }

  /**
   * Opens stored segments, oldest first, compacts them and seals the result; see `compactStored`. Their bytes are copied.
   * With `sync`, and for little, it happens here and at once. `StateLostError` for a damaged segment; `ExternalError` when
   * the thread ends, for want of memory or by `close`: then the chain is as good as it was, and the next try may succeed.
   */
  compact(segments: readonly StoredSegment[], options: CompactStoredOptions): MaybePromise<CompactedSegment[]> {
    const rawBytes = segments.reduce((sum, { bytes }) => sum + rawLengthOf(bytes), 0);
    if (options.sync || rawBytes < this.#options.inlineBytes)
      return compactStored(segments, { ...options, sync: true });
    return this.#onThread(segments, options);
  }

  /** Ends the thread; what is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end(new ExternalError('A compaction was stopped because its task was closed.'));
  }

  async #onThread(segments: readonly StoredSegment[], options: CompactStoredOptions): Promise<CompactedSegment[]> {
    const copies: StoredSegment[] = [];
    for (const { bytes, checksum, where } of segments) {
      copies.push({ bytes: new Uint8Array(bytes), checksum, where });
      if (bytes.length > 256 * 1024) await setImmediate(); // between copies records get their turn
    }
    if (this.#isClosed) throw new ExternalError('A compaction was asked for after its task was closed.');
    const id = ++this.#requests;
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const request: CompactionRequest = { id, segments: copies, options };
      worker.postMessage(
        request,
        copies.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
    });
  }

  #start(): Worker {
    clearTimeout(this.#idle);
    if (this.#worker) {
      this.#worker.ref();
      return this.#worker;
    }
    const worker = new Worker(this.#options.program, { name: 'tidemark-compaction', execArgv: [] });
    this.#worker = worker;
    worker.on('message', (reply: CompactionReply) => this.#answered(reply));
    const failed = (cause: unknown) => {
      if (this.#worker !== worker) return;
      void this.#end(
        new ExternalError(
          `The thread that compacts segments ended: ${messageOf(cause)}. It starts again when needed.`,
          {
            cause,
          },
        ),
      );
    };
    worker.on('error', failed);
    worker.on('exit', code => failed(`exit code ${code}`));
    return worker;
  }

  #answered({ id, segments, failed }: CompactionReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failed) waiting?.reject(new (failed.isStateLost ? StateLostError : InternalError)(failed.message));
    else waiting?.resolve([...(segments ?? [])]);
    if (this.#waiting.size > 0) return;
    // An idle thread keeps no process alive.
    this.#worker?.unref();
    this.#idle = setTimeout(() => void this.#end(undefined), this.#options.idleMs).unref();
  }

  async #end(reason: ExternalError | undefined): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
    await worker?.terminate();
  }
}
