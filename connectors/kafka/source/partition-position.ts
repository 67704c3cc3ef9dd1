/**
 * How far a partition has been read: the offset of the next record, and where to stop. Only what continues it is accepted:
 * a batch may begin before it (compression keeps batches whole), and may leave gaps (compaction, control records).
 */
export class PartitionPosition {
  /** Offset of the next record to give. */
  next: number;
  /** The first offset that is not given; infinite when the partition is read forever. */
  readonly stop: number;

  constructor(next: number, stop: number = Number.POSITIVE_INFINITY) {
    this.next = next;
    this.stop = stop;
  }

  /** Whether everything before the stop offset was given, or is no more. */
  get isReached(): boolean {
    return this.next >= this.stop;
  }

  /** Whether what was asked from this offset on continues what was read; otherwise something in between would be lost. */
  continuesAt(asked: number): boolean {
    return asked <= this.next;
  }

  /** What to do with a batch that holds these offsets. One beyond the stop offset says that nothing is left before it. */
  meets(baseOffset: number, lastOffset: number): 'read' | 'pass over' | 'stop' {
    if (lastOffset < this.next) return 'pass over';
    if (this.isReached) return 'stop';
    if (baseOffset < this.stop) return 'read';
    this.next = this.stop;
    return 'stop';
  }

  /** What to do with the record of a batch that is read. */
  meetsRecord(offset: number): 'read' | 'pass over' | 'stop' {
    if (offset < this.next) return 'pass over';
    if (offset < this.stop) return 'read';
    if (!this.isReached) this.next = this.stop;
    return 'stop';
  }

  /** The record at this offset was given or passed over on purpose. */
  passedRecord(offset: number): void {
    this.next = offset + 1;
  }

  /** Nothing of this batch is left to give: control records, aborted ones and gaps at its end are behind, too. */
  passedBatch(lastOffset: number): void {
    if (lastOffset >= this.next && !this.isReached) this.next = Math.min(lastOffset + 1, this.stop);
  }

  /** Goes on from another offset, because this one is no more. */
  moveTo(offset: number): void {
    this.next = offset;
  }
}
