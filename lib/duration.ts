/** Milliseconds, or a number with a unit: `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The duration in milliseconds, or `undefined` when it is none. */
export function parseDuration(duration: unknown): number | undefined {
  if (typeof duration === 'number') return Number.isFinite(duration) && duration >= 0 ? duration : undefined;
  const parts = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration.trim()) : null;
  return parts ? Number(parts[1]) * (units[parts[2] as string] as number) : undefined;
}

/** The duration in milliseconds; throws a `RangeError` that shows the accepted forms. */
export function toMs(duration: Duration): number {
  const ms = parseDuration(duration);
  if (ms === undefined) {
    throw new RangeError(
      `"${duration}" is not a duration: give milliseconds or a number with ms, s, m, h or d ("10s")`,
    );
  }
  return ms;
}
