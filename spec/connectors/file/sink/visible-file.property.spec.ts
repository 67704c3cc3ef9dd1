import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestBlock } from '../../../../connectors/file/fingerprint.ts';
import type { SinkHandle } from '../../../../connectors/file/sink/handle.ts';
import { applyHandle } from '../../../../connectors/file/sink/visible-file.ts';
import { Folder } from '../folder.ts';

/** The parts of one checkpoint each. */
const checkpoints = fc.array(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

/** Who applies what, and how far a crash lets it come: all, or so many bytes. */
const applies = fc.array(fc.record({ checkpoint: fc.nat(), torn: fc.option(fc.nat({ max: 60 })) }), { maxLength: 12 });

test('whoever applies a committed checkpoint, how often and in what order, the file has the bytes of the chain', async () => {
  await fc.assert(
    fc.asyncProperty(checkpoints, applies, async (chain, repeats) => {
      using folder = new Folder();
      const visible = folder.write('out.jsonl', '');
      const { handles, bytes } = written(folder, chain);
      let reached = 0;
      for (const [index, handle] of handles.entries()) {
        // The one that is newest is applied by its writer; before and after come zombies and repeats of all up to it.
        for (const { checkpoint, torn } of index === 0 ? [] : repeats) {
          const old = handles[checkpoint % index];
          if (old && torn === null) await applyHandle(visible, folder.path, old, () => {});
          else if (old) tear(visible, bytes, old, torn ?? 0);
        }
        expect(readFileSync(visible)).toEqual(bytes.subarray(0, reached));
        const crash = repeats[index];
        if (crash) tear(visible, bytes, handle, crash.torn ?? 0);
        await applyHandle(visible, folder.path, handle, () => {});
        reached = handle.offset + handle.length;
        expect(readFileSync(visible)).toEqual(bytes.subarray(0, reached));
      }
    }),
    { numRuns: 60 },
  );
});

/** The parts of a chain of checkpoints, and the handles that name them. */
function written(folder: Folder, chain: readonly (readonly Uint8Array[])[]) {
  const handles: SinkHandle[] = [];
  let bytes = Buffer.alloc(0);
  for (const [index, pieces] of chain.entries()) {
    const parts = pieces.map((piece, part) => {
      const name = `1-${index}-${part}.part`;
      folder.write(name, piece);
      return { name, length: piece.length, sha256: createHash('sha256').update(piece).digest('hex') };
    });
    const before = digestBlock(bytes.subarray(Math.max(0, bytes.length - 4096)));
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    handles.push({ version: 1, path: 'out.jsonl', offset: bytes.length, length, before, parts });
    bytes = Buffer.concat([bytes, ...pieces]);
  }
  return { handles, bytes };
}

/** The write of a handle that stops after `count` bytes, as SIGKILL leaves it. */
function tear(visible: string, bytes: Buffer, handle: SinkHandle, count: number): void {
  const content = Buffer.from(readFileSync(visible));
  const end = handle.offset + Math.min(count, handle.length);
  const torn = Buffer.alloc(Math.max(content.length, end));
  content.copy(torn);
  bytes.copy(torn, handle.offset, handle.offset, end);
  writeFileSync(visible, torn);
}
