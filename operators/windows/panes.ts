/**
 * Windows of one size that begin every `slide` ms, cut into panes: stretches of time that belong to the same windows from
 * their beginning to their end, so that a record counts in one pane however many windows it is in. All times in ms; a
 * window or pane holds its start and not its end.
 */
export class Panes {
  readonly size: number;
  readonly slide: number;
  /** Length of a pane: the largest that divides both. */
  readonly length: number;
  readonly #offset: number;

  /** Whole numbers of ms; windows begin at `offset` plus multiples of `slide`. */
  constructor(size: number, slide: number, offset: number) {
    this.size = size;
    this.slide = slide;
    this.length = greatestCommonDivisor(size, slide);
    this.#offset = offset;
  }

  /** The start of the pane that holds `time`; `undefined` where time lies between windows, which begin further apart than they are long. */
  paneOf(time: number): number | undefined {
    const pane = this.#floor(time, this.length);
    return this.firstEnd(pane) > pane ? pane : undefined;
  }

  /** The end of the first window that holds the pane, at or before its start when none does. */
  firstEnd(pane: number): number {
    // The earliest window that ends behind the pane's start: its start is above `pane - size`.
    const start = this.#floor(pane - this.size, this.slide) + this.slide;
    return start <= pane ? start + this.size : pane;
  }

  /** The end of the last window that holds the pane. */
  lastEnd(pane: number): number {
    return this.#floor(pane, this.slide) + this.size;
  }

  /** Whether a window ends at `time`. */
  isEnd(time: number): boolean {
    return this.#floor(time - this.size, this.slide) === time - this.size;
  }

  /** The end of the pane's first window that ends behind `over`; `undefined` where none does. */
  nextEnd(pane: number, over: number): number | undefined {
    const first = this.firstEnd(pane);
    const passed = over < first ? 0 : Math.floor((over - first) / this.slide) + 1;
    const end = first + passed * this.slide;
    return end <= this.lastEnd(pane) ? end : undefined;
  }

  /** The ends behind `over` of all windows that hold one of the panes, the earliest first. */
  endsBehind(held: readonly number[], over: number): number[] {
    const ends = new Set<number>();
    for (const pane of held) {
      const first = this.nextEnd(pane, over) ?? Number.POSITIVE_INFINITY;
      for (let end = first; end <= this.lastEnd(pane); end += this.slide) ends.add(end);
    }
    return [...ends].sort((a, b) => a - b);
  }

  #floor(time: number, step: number): number {
    return Math.floor((time - this.#offset) / step) * step + this.#offset;
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
