/** Bytes before the value: a 0, and the id of its schema (big-endian). */
export const headerBytes = 5;

/** The id of the schema that bytes in Confluent's wire format begin with; `undefined` when they begin otherwise. */
export function schemaIdOf(bytes: Buffer): number | undefined {
  return bytes.length >= headerBytes && bytes[0] === 0 ? bytes.readInt32BE(1) : undefined;
}

/** Writes the header for a schema to the beginning of the bytes. */
export function writeHeader(bytes: Buffer, schemaId: number): void {
  bytes[0] = 0;
  bytes.writeInt32BE(schemaId, 1);
}
