import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore } from '../../../connectors/file/snapshot-store.ts';
import type { TaskRef } from '../../../lib/checkpoint/snapshot-store.ts';
import { folderName } from '../../../lib/checkpoint/store-file/folder-name.ts';
import { snapshotStoreContract } from '../../contract/snapshot-store.contract.ts';

snapshotStoreContract(
  'file store',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
    const folderOf = (ref: TaskRef) => join(directory, folderName(ref.job), folderName(ref.task));
    const manifestPath = (ref: TaskRef, id: number, token: number) =>
      join(folderOf(ref), 'manifests', `${id}-${token}.json`);
    return {
      open: () => fileStore(directory),
      async damageManifest(ref, id, token) {
        const path = manifestPath(ref, id, token);
        writeFileSync(path, readFileSync(path).subarray(0, 100));
      },
      async removeManifest(ref, id, token) {
        rmSync(manifestPath(ref, id, token));
      },
      async removeSegment(ref, name) {
        rmSync(join(folderOf(ref), 'segments', name));
      },
      async dispose() {
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
  { runs: 25, canBeDamaged: true },
);
