import { at, beforeLength, readInt64 } from '../client/wire/record-batch.ts';

/** The offset behind the last whole batch of fetched records; `undefined` when there is none. Reads only batch headers. */
export function behindFetched(records: Buffer): number | undefined {
  let behind: number | undefined;
  for (let start = 0; start + at.records <= records.length; ) {
    const end = start + beforeLength + records.readInt32BE(start + at.batchLength);
    // A length that cannot be is for whoever reads the batch to refuse.
    if (end > records.length || end < start + at.records) break;
    behind = readInt64(records, start + at.baseOffset) + records.readInt32BE(start + at.lastOffsetDelta) + 1;
    start = end;
  }
  return behind;
}
