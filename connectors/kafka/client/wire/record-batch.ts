// A record batch of format 2 (https://kafka.apache.org/documentation/#recordbatch): where its header keeps what.
export const at = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** What `batchLength` does not count: the base offset and itself. */
export const beforeLength = 12;

export const attribute = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

/** The first and only format with checksums over all and transactions; Kafka 4 writes no other. */
export const magic2 = 2;

const twoTo32 = 2 ** 32;

/** Exact up to 2^53, as offsets, timestamps and producer ids are. */
export function readInt64(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * twoTo32 + bytes.readUInt32BE(position + 4);
}

export function writeInt64(bytes: Buffer, value: number, position: number): void {
  const high = Math.floor(value / twoTo32);
  bytes.writeInt32BE(high, position);
  bytes.writeUInt32BE(value - high * twoTo32, position + 4);
}
