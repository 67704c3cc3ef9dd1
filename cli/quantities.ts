// Numbers as people read them; always the same, whatever the locale of the machine, so that output can be compared.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `20000` as '20,000'. */
export function count(value: number): string {
  return grouped.format(value);
}

/** '1 record', '2 records'. */
export function counted(value: number, singular: string): string {
  return `${count(value)} ${singular}${value === 1 ? '' : 's'}`;
}

/** '512 B', '1.2 kB', '34 MB': powers of 1000. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit > 0 && scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

/** '4 ms', '1.2 s', '3 min 20 s', '2 h 5 min', '3 d 4 h'. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const [large, small, largeUnit, smallUnit] =
    seconds < 3_600
      ? [Math.floor(seconds / 60), seconds % 60, 'min', 's']
      : seconds < 86_400
        ? [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), 'h', 'min']
        : [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3_600), 'd', 'h'];
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** '54 %', and never 100 before all is done. */
export function percent(part: number): string {
  return `${part >= 1 ? 100 : Math.min(99, Math.max(0, Math.floor(part * 100)))} %`;
}

/** The time of day of `at` (ms since 1970), local: '14:05:09'. */
export function timeOfDay(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
