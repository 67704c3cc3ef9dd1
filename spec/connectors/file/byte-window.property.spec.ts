import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWindow } from '../../../connectors/file/byte-window.ts';
import { blockBytes } from '../../../connectors/file/fingerprint.ts';

test('holds, over any reads and steps, the bytes of the file at their places and the block before the position', () => {
  const file = Buffer.from(Array.from({ length: 40_000 }, (_, index) => (index * 7919) % 251));
  const steps = fc.array(
    fc.record({ read: fc.nat({ max: 3_000 }), pass: fc.double({ min: 0, max: 1, noNaN: true }) }),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(fc.nat({ max: 10_000 }), fc.integer({ min: 1, max: 3_000 }), steps, (offset, readBytes, moves) => {
      const window = new ByteWindow(offset, file.subarray(Math.max(0, offset - blockBytes), offset), readBytes);
      for (const { read, pass } of moves) {
        const room = window.room(readBytes);
        expect(room.length).toBe(readBytes);
        const count = Math.min(read, readBytes, file.length - window.readTo);
        file.copy(room, 0, window.readTo, window.readTo + count);
        window.filled(count);
        window.start += Math.floor(window.ahead * pass);
        const { bytes, start } = window;
        expect(window.offsetOf(start)).toBe(window.offset);
        expect(bytes.subarray(start).equals(file.subarray(window.offset, window.readTo))).toBe(true);
        expect(window.before().equals(file.subarray(Math.max(0, window.offset - blockBytes), window.offset))).toBe(
          true,
        );
        const last = window.lastRead();
        expect(last.equals(file.subarray(window.readTo - last.length, window.readTo))).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});
