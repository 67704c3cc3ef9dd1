interface Line {
  /** The last batch that lies before it. */
  readonly last: number;
  remaining: number;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Counts batches by the order in which they were closed, and tells when all before a line are acknowledged. */
export class FlushLines {
  readonly #lines = new Set<Line>();
  #closed = 0;
  #open = 0;

  /** How many batches lack their acknowledgement. */
  get open(): number {
    return this.#open;
  }

  /** The number of a batch that was closed now. */
  closed(): number {
    this.#open++;
    return ++this.#closed;
  }

  acknowledged(number: number): void {
    this.#open--;
    for (const line of this.#lines) {
      if (number > line.last || --line.remaining > 0) continue;
      this.#lines.delete(line);
      line.done();
    }
  }

  /** Resolves when every batch that is closed now is acknowledged. */
  draw(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<void>();
    this.#lines.add({ last: this.#closed, remaining: this.#open, done, failed });
    return promise;
  }

  /** Whoever waits is told that it will not happen. */
  fail(error: unknown): void {
    for (const line of this.#lines) line.failed(error);
    this.#lines.clear();
  }
}
