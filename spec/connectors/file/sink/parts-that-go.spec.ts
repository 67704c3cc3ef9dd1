import { createHash } from 'node:crypto';
import fs, { readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, it, vi } from 'vitest';
import { digestBlock } from '../../../../connectors/file/fingerprint.ts';
import { applyHandle } from '../../../../connectors/file/sink/visible-file.ts';
import { Folder } from '../folder.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A visible file with one part to apply, which somebody removes between the look at it and its copy. */
function overtaken(folder: Folder, visibleText: string) {
  const visible = folder.write('out.txt', visibleText);
  const part = folder.write('1-1-aa.part', 'abc');
  let looks = 0;
  const { open } = fs.promises;
  vi.spyOn(fs.promises, 'open').mockImplementation((file, ...mode) => {
    if (file === part && ++looks === 2) rmSync(part);
    return open(file, ...mode);
  });
  syncBuiltinESMExports();
  const handle = {
    version: 1 as const,
    path: visible,
    offset: 0,
    length: 3,
    before: digestBlock(Buffer.alloc(0)),
    parts: [{ name: '1-1-aa.part', length: 3, sha256: sha256('abc') }],
  };
  return { visible, apply: () => applyHandle(visible, folder.path, handle, () => {}) };
}

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

// An older process that has applied a checkpoint removes its parts as it ends, while a newer one applies it again.
it('a part that goes while it is applied again is not missed when its bytes are in place', async () => {
  using folder = new Folder();
  const { visible, apply } = overtaken(folder, 'abc');
  await apply();
  expect(readFileSync(visible, 'utf8')).toBe('abc');
});

it('a part that goes before its bytes are in place is lost, and that is told', async () => {
  using folder = new Folder();
  await expect(overtaken(folder, '').apply()).rejects.toThrow(/is not there any more; it holds committed output/);
});
