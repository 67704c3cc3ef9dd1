import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../connectors/memory/index.ts';
import type { Manifest, StoredManifest } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';

describe('chains of segments', () => {
  it('stay short over many checkpoints, and restore to the same state', () => {
    const store = memoryStore();
    const input = `${[...letters].map(letter => `${letter}B`).join('')}Xa-z-B`;
    const counted = [...letters].map(() => '1').join('B');
    const expected = `${counted}B-2-2-B`;
    marbles(({ job, expectElements }) => {
      const run = job(
        input,
        stream =>
          stream.pipe(
            keyBy((v: string) => v),
            scan('count', (n: number) => n + 1, 0),
          ),
        { store },
      );
      expectElements(run).toBe(expected, { 1: 1, 2: 2 });
    });
    const stored = store.task({ job: 'marbles', task: 'main' }).manifests() as readonly StoredManifest[];
    const last = stored.at(-1)?.manifest as Manifest;
    expect(last.id).toBe(27);
    expect(last.actors.count?.keys).toBe(26);
    expect(last.actors.count?.segments.length).toBeLessThanOrEqual(17);
  });

  it('do not bring back a key that was deleted in a later segment than it was written', () => {
    marbles(({ job, expectElements }) => {
      const visits = Array.from({ length: 20 }, (_, i) => letters[i] as string);
      const input = `aB${visits
        .slice(1)
        .map(letter => `${letter}B`)
        .join('')}XaB`;
      const run = job(input, stream =>
        stream.pipe(
          keyBy((v: string) => v),
          scan('count', (n: number) => n + 1, 0),
        ),
      );
      expectElements(run).toBe(`${visits.map(() => '1B').join('')}-2B`, { 1: 1, 2: 2 });
    });
  });
});
