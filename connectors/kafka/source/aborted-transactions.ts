import type { AbortedTransaction } from '../client/port.ts';

/** What the filter looks at in a record batch. */
export interface TransactionalBatch {
  readonly lastOffset: number;
  readonly producerId: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  controlType(): 'abort' | 'commit' | 'other';
}

/**
 * Says which batches of one answer to a fetch belong to aborted transactions. The broker lists the transactions that
 * overlap the answer in the order of their abort markers; a producer's records are aborted from the first offset of such a
 * transaction up to its marker, which only the control flag of the batch tells (a data record may have the same bytes).
 * Made anew for each answer: the list names what had begun before the fetched offset, too.
 */
export class AbortedTransactions {
  /** By first offset. */
  readonly #upcoming: readonly AbortedTransaction[];
  readonly #open = new Set<number>();
  #seen = 0;

  constructor(listed: readonly AbortedTransaction[]) {
    this.#upcoming = listed.length < 2 ? listed : [...listed].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Whether the records of the batch are not to be given; asked once for each batch, in the order of the log. */
  drops(batch: TransactionalBatch): boolean {
    if (this.#upcoming.length === 0) return batch.isControl;
    while (this.#seen < this.#upcoming.length) {
      const next = this.#upcoming[this.#seen] as AbortedTransaction;
      if (next.firstOffset > batch.lastOffset) break;
      this.#open.add(next.producerId);
      this.#seen++;
    }
    if (batch.isControl) {
      if (batch.controlType() === 'abort') this.#open.delete(batch.producerId);
      return true;
    }
    return batch.isTransactional && this.#open.has(batch.producerId);
  }
}
