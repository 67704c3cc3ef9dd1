const multiplier = 0x5bd1e995;
const seed = 0x9747b28c;

/** The 32-bit murmur2 hash of the first `length` bytes, as Kafka's Java client (`Utils.murmur2`) computes it. */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  const whole = length & ~3;
  let hash = seed ^ length;
  for (let i = 0; i < whole; i += 4) {
    const word = at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    const mixed = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier);
  }
  if (whole !== length) {
    for (let i = length - 1; i >= whole; i--) hash ^= at(bytes, i) << (8 * (i - whole));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] as number;
