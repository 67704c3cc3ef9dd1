import avsc from 'avsc';

const [smallest, largest] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Avro's long as a bigint; numbers are refused, so that a field has one type. */
export const bigintLongs: avsc.Type = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  // Also of the defaults in a schema, which are numbers there.
  fromJSON: BigInt,
  toJSON: (value: bigint) => (isSafe(value) ? Number(value) : String(value)),
  isValid: (value: unknown) => typeof value === 'bigint' && value >= smallest && value <= largest,
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

const isSafe = (value: bigint): boolean => BigInt.asIntN(54, value) === value;
