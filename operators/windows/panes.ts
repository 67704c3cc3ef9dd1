import type { MapState } from '../../lib/index.ts';

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

  /** Those of the panes that are kept from `start` to `end`, the earliest first; however many others there are. */
  within(start: number, end: number, kept: Pick<MapState<number, unknown>, 'size' | 'has' | 'keys'>): number[] {
    if (kept.size * 4 < (end - start) / this.length) {
      const found = kept.keys().filter(pane => pane >= start && pane < end);
      return found.sort((a, b) => a - b);
    }
    const found: number[] = [];
    for (let pane = start; pane < end; pane += this.length) if (kept.has(pane)) found.push(pane);
    return found;
  }

  #floor(time: number, step: number): number {
    return Math.floor((time - this.#offset) / step) * step + this.#offset;
  }
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
