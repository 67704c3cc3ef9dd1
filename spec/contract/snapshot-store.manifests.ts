import { decodeManifest, encodeManifest, type Manifest } from '../../lib/checkpoint/manifest.ts';
import { type StoredManifest, segmentName, type TaskRef } from '../../lib/checkpoint/snapshot-store.ts';

/** A manifest that names these segments. */
export function manifestOf(ref: TaskRef, token: number, id: number, segments: readonly string[] = []): Manifest {
  const manifest: Manifest = {
    format: 1,
    ...ref,
    id,
    token,
    kind: 'checkpoint',
    createdAt: 1_700_000_000_000 + id,
    sources: { flights: { position: { offset: id * 10, names: ['ü', '\u0000'] }, finished: false, watermark: null } },
    actors: {
      totals: {
        version: 1,
        keys: 3,
        segments: segments.map((name, i) => ({
          name,
          kind: i === 0 ? 'full' : 'delta',
          bytes: bytesOf(name).byteLength,
          entries: 1,
          checksum: 'c'.repeat(64),
        })),
      },
    },
    sinks: { alerts: { bytes: id } },
    finished: [],
    jobFinished: false,
    closed: false,
  };
  return decodeManifest(encodeManifest(manifest), 'spec');
}

/** The bytes that the specs write under a segment's name: every value of a byte occurs. */
export function bytesOf(name: string): Uint8Array {
  return Uint8Array.from({ length: 256 + name.length }, (_, i) => (i * 7 + name.length) & 0xff);
}

export const segment = (id: number, token: number, random = 'x'): string => segmentName(id, token, random);

/** `3`: confirmed; `3?`: only prepared. */
export const briefly = (stored: readonly StoredManifest[]): string[] =>
  stored.map(({ manifest, confirmed }) => `${manifest.id}-${manifest.token}${confirmed ? '' : '?'}`);
