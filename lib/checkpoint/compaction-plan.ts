import type { SegmentRef } from './manifest.ts';
import { checkpointOfSegment } from './snapshot-store.ts';

export interface CompactionPolicy {
  /** A chain with more deltas is shortened. */
  readonly maxDeltas?: number;
  /** Deltas of fewer encoded bytes than this are not merged into the full segment for their size alone. */
  readonly minBytes?: number;
}

export interface CompactionPlan {
  /** Everything from this index on becomes one delta; from 0 on, one full segment. */
  readonly from: number;
}

/**
 * Whether a chain of segments (full, then deltas, oldest first) is to be compacted, and from where.
 *
 * All of it when the deltas outweigh the full segment: then what is rewritten was at most doubled since it was last. Else,
 * when there are too many, the newest deltas: so far back that each that stays is larger than all after it together. So
 * sizes fall by half at least along the chain, it stays short, and an entry is rewritten once for each doubling only.
 */
export function compactionPlan(
  refs: readonly SegmentRef[],
  { maxDeltas = 16, minBytes = 256 * 1024 }: CompactionPolicy = {},
): CompactionPlan | undefined {
  const deltas = deltasOf(refs);
  const bytes = deltas.reduce((sum, delta) => sum + delta.bytes, 0);
  const fullBytes = refs.reduce((sum, ref) => sum + ref.bytes, 0) - bytes;
  const isLong = deltas.length > maxDeltas;
  if (bytes > fullBytes && (isLong || bytes > minBytes) && refs.length > 1) return { from: 0 };
  if (!isLong) return undefined;
  let from: number | undefined;
  let after = 0;
  for (const delta of deltas.reverse()) {
    if (delta.bytes <= after) from = delta.from;
    after += delta.bytes;
  }
  return from === undefined ? undefined : { from };
}

/** The deltas of a chain; segments of one checkpoint are one delta. */
function deltasOf(refs: readonly SegmentRef[]): { from: number; bytes: number }[] {
  const deltas: { from: number; bytes: number; id: number }[] = [];
  for (const [index, ref] of refs.entries()) {
    if (ref.kind === 'full') continue;
    const id = checkpointOfSegment(ref.name);
    const last = deltas.at(-1);
    if (last?.id === id) last.bytes += ref.bytes;
    else deltas.push({ from: index, bytes: ref.bytes, id });
  }
  return deltas;
}
