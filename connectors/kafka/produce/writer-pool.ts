import { BatchWriter } from '../client/wire/record-batch-writer.ts';

/** Keeps the buffers of batches that are done for the next ones. */
export class WriterPool {
  readonly #idle: BatchWriter[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  take(): BatchWriter {
    return this.#idle.pop() ?? new BatchWriter();
  }

  /** Only for one that nothing can read any more. */
  give(writer: BatchWriter): void {
    if (this.#idle.length >= this.#most) return;
    writer.clear();
    this.#idle.push(writer);
  }
}
