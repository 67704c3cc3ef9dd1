import type { Deserializer } from './deserializer.ts';
import type { Serializer } from './serializer.ts';

export interface BytesOptions {
  /**
   * Whether each value is a copy; default false: it is a view of the bytes that were fetched with many other records.
   * A view never changes, but while it is kept it keeps all of them in memory.
   */
  readonly copy?: boolean;
}

/** A format that reads Buffers and writes every `Uint8Array`. */
export interface BytesFormat extends Deserializer<Buffer>, Serializer<Uint8Array> {
  readonly name: string;
}

/** Bytes as they are. Takes every `Uint8Array`; it must not change after it was given to a sink. */
export function bytes(options: BytesOptions = {}): BytesFormat {
  const { copy = false } = options;
  return {
    name: 'bytes',
    deserialize: copy ? bytes => bytes && Buffer.copyBytesFrom(bytes) : bytes => bytes,
    serialize(value: Uint8Array): Uint8Array | null {
      if (value === null || value instanceof Uint8Array) return value;
      throw new Error(`a Uint8Array is needed, a value of type ${typeof value} was given`);
    },
  };
}
