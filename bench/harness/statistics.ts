/** The middle of the values; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which the part `p` (0 to 1) of the values lies, interpolated between neighbours; `NaN` of nothing. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * p;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** Median and spread of one figure over several runs. */
export function summary(values: readonly number[]): Summary {
  return { median: median(values), min: percentile(values, 0), max: percentile(values, 1), runs: values.length };
}
