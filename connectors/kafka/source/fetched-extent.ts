/** Where the fields of a record batch header lie: https://kafka.apache.org/documentation/#recordbatch. */
const batchLengthAt = 8;
const lastOffsetDeltaAt = 23;
const headerEnd = 27;
const beforeLength = 12;

/** The offset behind the last whole batch of fetched records; `undefined` when there is none. Reads only batch headers. */
export function behindFetched(records: Buffer): number | undefined {
  let behind: number | undefined;
  for (let start = 0; start + headerEnd <= records.length; ) {
    const end = start + beforeLength + records.readInt32BE(start + batchLengthAt);
    // A length that cannot be is for whoever reads the batch to refuse.
    if (end > records.length || end < start + headerEnd) break;
    behind = Number(records.readBigInt64BE(start)) + records.readInt32BE(start + lastOffsetDeltaAt) + 1;
    start = end;
  }
  return behind;
}
