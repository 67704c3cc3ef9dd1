/** The place of the first that `isSo`, where all behind it are, too; the length where none is. Looks at few of them. */
export function firstWhere<T>(sorted: readonly T[], isSo: (one: T) => boolean, from = 0): number {
  let [low, high] = [from, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(sorted[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
