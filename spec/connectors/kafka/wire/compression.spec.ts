import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from '../../../../connectors/kafka/client/wire/compression.ts';
import { CorruptRecordsError } from '../../../../connectors/kafka/errors.ts';

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const text = Buffer.from('the tide turns and turns; '.repeat(5_000));

describe.each(codecs)('%s', codec => {
  it('brings back what was packed, whatever its size', () => {
    const sizes = fc.oneof(fc.nat(64), fc.constantFrom(32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 100_000));
    fc.assert(
      fc.property(sizes, fc.nat(255), (size, seed) => {
        const plain = Buffer.from(Array.from({ length: size }, (_, i) => (i * seed) ^ (i >> 7)));
        expect(decompress(codec, compress(codec, plain)).equals(plain)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('packs', () => {
    expect(compress(codec, text).length).toBeLessThan(text.length / 5);
  });

  it('refuses what is cut off anywhere, and random bytes', () => {
    const packed = compress(codec, text);
    for (const length of [0, 1, 3, 4, 5, 7, 11, 15, 17, 18, 19, 30, packed.length >> 1, packed.length - 5]) {
      const cut = packed.subarray(0, length);
      expect(() => decompress(codec, cut), `${length} bytes`).toThrow(CorruptRecordsError);
    }
    expect(() => decompress(codec, Buffer.from('00ff17a4b2c3d4e5f60718293a4b5c6d7e8f', 'hex'))).toThrow(
      new RegExp(`${codec} payload of 18 bytes cannot be unpacked`),
    );
  });

  it('refuses what unpacks to more than is allowed, without unpacking it', () => {
    const bomb = compress(codec, Buffer.alloc(8 * 1024 * 1024));
    expect(() => decompress(codec, bomb, 1024 * 1024)).toThrow(/holds more than 1048576 bytes/);
    expect(decompress(codec, bomb, 8 * 1024 * 1024)).toHaveLength(8 * 1024 * 1024);
  });

  it('throws nothing but that error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(50), (noise, at) => {
        const damaged = Buffer.from(compress(codec, text.subarray(0, 500)));
        damaged.set(noise.subarray(0, Math.max(0, damaged.length - at)), Math.min(at, damaged.length));
        try {
          decompress(codec, damaged, 1_000_000);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptRecordsError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('snappy', () => {
  it('is read as one raw block, too', () => {
    expect(decompress('snappy', compressSync(text)).equals(text)).toBe(true);
  });

  it('is written in the frames of the Java clients', () => {
    const packed = compress('snappy', text);
    expect(packed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001');
    expect(packed.readInt32BE(16)).toBe(compressSync(text.subarray(0, 32 * 1024)).length);
  });
});

describe('lz4', () => {
  it('is written as frames of independent blocks, as Kafka wants them', () => {
    const packed = compress('lz4', text);
    expect(packed.readUInt32LE(0)).toBe(0x184d2204);
    expect(packed.readUInt8(4) & 0x20, 'blocks are independent').toBe(0x20);
  });
});
