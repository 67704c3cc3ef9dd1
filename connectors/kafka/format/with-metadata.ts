import type { Header } from '../record.ts';
import { bytes } from './bytes.ts';
import type { Deserializer, RecordView } from './deserializer.ts';

/** A value and what stands beside it in its record. */
export interface WithMetadata<T, K = Buffer> {
  readonly value: T;
  readonly key: K | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since 1970. */
  readonly timestamp: number;
  /** Their values are views of what was fetched: copy what is kept for long. */
  readonly headers: readonly Header[];
}

export interface MetadataOptions<K> {
  /** How keys are read; default `bytes()`: as they are. */
  readonly key?: Deserializer<K>;
  /** What becomes of records without value; default `'skip'`: passed over as ever. */
  readonly tombstones?: 'keep' | 'skip';
}

/** Reads values with `value`, and puts key, topic, partition, offset, timestamp and headers beside each. */
export function withMetadata<T, K = Buffer>(
  value: Deserializer<T>,
  options: MetadataOptions<K> & { readonly tombstones: 'keep' },
): Deserializer<WithMetadata<T | null, K>>;
export function withMetadata<T, K = Buffer>(
  value: Deserializer<T>,
  options?: MetadataOptions<K>,
): Deserializer<WithMetadata<T, K>>;
export function withMetadata<T, K>(
  value: Deserializer<T>,
  options: MetadataOptions<K> = {},
): Deserializer<WithMetadata<T | null, K>> {
  return new MetadataDeserializer(
    value,
    // Without the option, K is Buffer.
    options.key ?? (bytes() as unknown as Deserializer<K>),
    options.tombstones === 'keep',
  );
}

class MetadataDeserializer<T, K> implements Deserializer<WithMetadata<T | null, K>> {
  readonly #value: Deserializer<T>;
  readonly #key: Deserializer<K>;
  readonly #keepsTombstones: boolean;
  readonly missing?: (bytes: Buffer | null, record: RecordView) => number | undefined;

  constructor(value: Deserializer<T>, key: Deserializer<K>, keepsTombstones: boolean) {
    this.#value = value;
    this.#key = key;
    this.#keepsTombstones = keepsTombstones;
    // Left out where neither has it, so that nothing is asked for every record.
    if (value.missing || key.missing) this.missing = (bytes, record) => this.#missing(bytes, record);
  }

  deserialize(bytes: Buffer | null, record: RecordView): WithMetadata<T | null, K> | null {
    const value = this.#value.deserialize(bytes, record) ?? null;
    if (value === null && !(bytes === null && this.#keepsTombstones)) return null;
    const { key, topic, partition, offset, timestamp, headers } = record;
    return {
      value,
      key: key === null ? null : (this.#key.deserialize(key, record) ?? null),
      topic,
      partition,
      offset,
      timestamp,
      headers,
    };
  }

  // Ids of both may be of two registries: even ones are the value's, odd ones the key's.
  #missing(bytes: Buffer | null, record: RecordView): number | undefined {
    const ofValue = this.#value.missing?.(bytes, record);
    if (ofValue !== undefined) return ofValue * 2;
    const ofKey = this.#key.missing && record.key && this.#key.missing(record.key, record);
    return typeof ofKey === 'number' ? ofKey * 2 + 1 : undefined;
  }

  async load(missing: ReadonlySet<number>, signal?: AbortSignal): Promise<void> {
    const ids = [...missing];
    const ofValue = new Set(ids.filter(id => id % 2 === 0).map(id => id / 2));
    const ofKey = new Set(ids.filter(id => id % 2 !== 0).map(id => (id - 1) / 2));
    await Promise.all([
      ofValue.size > 0 && this.#value.load?.(ofValue, signal),
      ofKey.size > 0 && this.#key.load?.(ofKey, signal),
    ]);
  }

  async check(): Promise<void> {
    await this.#value.check?.();
    await this.#key.check?.();
  }
}
