/** How many values of a hot Observable wait while the job is paused, and what happens to one more. */
export interface Overflow {
  /** A whole number of values, 0 or more. */
  readonly size: number;
  readonly when: 'error' | 'drop-oldest' | 'drop-newest';
}

/** What waits in the order in which it came, up to a number of values. */
export class OverflowBuffer<T> {
  /** Values that were dropped since the last `takeAll`. */
  dropped = 0;
  private values: T[] = [];
  /** Before it lie values that were dropped; they are cut off now and then, since `shift` moves all that follow. */
  private first = 0;
  private readonly overflow: Overflow;

  constructor(overflow: Overflow) {
    this.overflow = overflow;
  }

  /** Keeps the value, drops it or the oldest one, or answers `false`: there is no room for it. */
  push(value: T): boolean {
    const { size, when } = this.overflow;
    if (this.values.length - this.first < size) {
      this.values.push(value);
      return true;
    }
    if (when === 'error') return false;
    this.dropped++;
    if (when === 'drop-newest' || size === 0) return true;
    this.values[this.first++] = undefined as T;
    this.values.push(value);
    if (this.first > size) {
      this.values = this.values.slice(this.first);
      this.first = 0;
    }
    return true;
  }

  /** Takes out all that waits, oldest first. */
  takeAll(): readonly T[] {
    const taken = this.first === 0 ? this.values : this.values.slice(this.first);
    this.values = [];
    this.first = 0;
    this.dropped = 0;
    return taken;
  }
}
