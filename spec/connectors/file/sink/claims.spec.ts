import fs, { rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, it, vi } from 'vitest';
import { readClaims } from '../../../../connectors/file/sink/claims.ts';
import { Folder } from '../folder.ts';

const claimOf = (token: number) => ({ format: 1, job: 'j', task: 't', sink: 's', token, end: token });
const writeClaim = (folder: Folder, token: number) =>
  folder.write(`${token}.claim`, `${JSON.stringify(claimOf(token))}\n`);

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

// Of several processes that start at once none ran: the newest read the claim of the first while the second dropped it, took that
// for a file that is gone, and failed.
it('are read anew where one goes while they are read: whoever dropped it has one that was not listed', async () => {
  using folder = new Folder();
  const first = writeClaim(folder, 1);
  const { readFile } = fs.promises;
  vi.spyOn(fs.promises, 'readFile').mockImplementationOnce((file, ...options) => {
    writeClaim(folder, 2);
    rmSync(first);
    return readFile(file, ...options);
  });
  syncBuiltinESMExports();
  expect(await readClaims(folder.path)).toEqual([claimOf(2)]);
});

it('are none in a folder that is not there', async () => {
  using folder = new Folder();
  expect(await readClaims(folder.at('none'))).toEqual([]);
});
