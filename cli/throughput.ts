/** Records a second over the last few seconds, from a total that is looked at now and then. */
export class Throughput {
  readonly #windowMs: number;
  #samples: { readonly at: number; readonly total: number }[] = [];

  constructor(windowMs = 3_000) {
    this.#windowMs = windowMs;
  }

  /** Takes the total at a time (ms, monotonic); a total that went down is that of a new incarnation. */
  add(at: number, total: number): void {
    const last = this.#samples.at(-1);
    if (last && total < last.total) this.#samples = [];
    this.#samples.push({ at, total });
    // One sample from before the window stays, so that a pause shows as a falling rate and not as none.
    while ((this.#samples[1]?.at ?? at) < at - this.#windowMs) this.#samples.shift();
  }

  /** `undefined` while there is nothing to compare. */
  get perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < 1) return undefined;
    return ((last.total - first.total) / (last.at - first.at)) * 1_000;
  }
}
