const mostRecords = 1_000;
const fewestRecords = 10;
/** How long a batch should take at most; ms. */
const targetMs = 20;

/** The most records in one call of the task: fewer where records take long, so that timers, barriers and other input have their turn. */
export class BatchSize {
  #records = mostRecords;

  get records(): number {
    return this.#records;
  }

  /** So many records took so long. */
  took(records: number, ms: number): void {
    if (records === 0) return;
    const room = ms > targetMs ? Math.floor((records * targetMs) / ms) : this.#records * 2;
    this.#records = Math.min(mostRecords, Math.max(fewestRecords, room));
  }
}
