import { murmur2 } from './murmur2.ts';

let scratch = Buffer.allocUnsafe(256);

/** The partition in which Kafka's Java client puts records with this key (a text is its UTF-8), among 0 to `partitions` - 1. */
export function keyPartition(key: Uint8Array | string, partitions: number): number {
  const hash = typeof key === 'string' ? hashOfText(key) : murmur2(key);
  return (hash & 0x7fffffff) % partitions;
}

function hashOfText(text: string): number {
  // A UTF-16 unit is three bytes of UTF-8 at most.
  if (text.length * 3 > scratch.length) {
    if (text.length > 10_000) return murmur2(Buffer.from(text));
    scratch = Buffer.allocUnsafe(text.length * 3);
  }
  return murmur2(scratch, scratch.write(text));
}
