/**
 * Where the records of one topic go that have no key: one partition gets a batch full of them, then the next one has
 * its turn, so that batches are large and partitions even (KIP-480, KIP-794).
 */
export class StickyPartition {
  readonly #batchBytes: number;
  #current: number;
  #bytes = 0;

  /** `start` picks the first partition; several sinks should not all begin with the same one. */
  constructor(batchBytes: number, start: number = Math.floor(Math.random() * 0x7fffffff)) {
    this.#batchBytes = batchBytes;
    this.#current = start;
  }

  /** The partition, among 0 to `partitions` - 1, for a record of so many bytes. */
  take(bytes: number, partitions: number): number {
    if (this.#bytes >= this.#batchBytes) this.moveOn();
    this.#bytes += bytes;
    return this.#current % partitions;
  }

  /** The batch was closed: the next record begins one in the next partition. */
  moveOn(): void {
    this.#bytes = 0;
    this.#current = (this.#current + 1) & 0x7fffffff;
  }
}
