import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { expiredManifests, mostExpired } from '../../lib/checkpoint/retention.ts';
import type { StoredManifest } from '../../lib/checkpoint/snapshot-store.ts';

interface Short {
  readonly id: number;
  readonly token: number;
  readonly kind: Manifest['kind'];
  readonly confirmed: boolean;
}

/** `'3@1 4s@1 5?@2'`: checkpoint 3 of token 1, savepoint 4 of token 1, 5 prepared by token 2. */
function stored(text: string): StoredManifest[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map(item => {
      const parts = /^(\d+)(s?)(\??)@(\d+)$/.exec(item);
      if (!parts) throw new Error(`not a manifest: ${item}`);
      return asStored({
        id: Number(parts[1]),
        token: Number(parts[4]),
        kind: parts[2] ? 'savepoint' : 'checkpoint',
        confirmed: !parts[3],
      });
    });
}

function asStored({ id, token, kind, confirmed }: Short): StoredManifest {
  const manifest: Manifest = {
    format: 1,
    job: 'job',
    task: 'main',
    id,
    token,
    kind,
    createdAt: 0,
    sources: {},
    actors: {},
    sinks: {},
    finished: [],
    jobFinished: false,
    closed: false,
  };
  return { manifest, confirmed };
}

describe('expiredManifests', () => {
  it.each([
    ['nothing stored', '', 1, []],
    ['only prepared ones', '1?@1 2?@2', 1, []],
    ['as many as retained', '1@1 2@1 3@1', 3, []],
    ['more than retained', '1@1 2@1 3@1 4@1', 2, [1, 2]],
    ['the newest of a single one', '7@1', 1, []],
    ['savepoints, which do not count', '1s@1 2@1 3s@1 4@1 5@1', 2, [2]],
    ['a savepoint that is the newest', '1@1 2@1 3s@1', 1, [1]],
    ['prepared after the newest', '1@1 2@1 3?@1 4?@9', 1, [1]],
    ['prepared by older tokens, overtaken', '1@1 2?@1 3@2', 3, [2]],
    ['prepared by older tokens, not yet overtaken', '1@1 2?@1 3?@2', 3, []],
    ['prepared by a newer token below the newest', '1?@3 2@2', 3, []],
    ['a savepoint that was only prepared, overtaken', '1s?@1 2@2', 3, [1]],
    ['the same id prepared and committed', '1?@1 1@2 2@2', 3, []],
    ['the same id prepared and committed, both expired', '1?@1 1@2 2@2', 1, [1]],
    ['any order', '4@1 1@1 3@1 2@1', 2, [1, 2]],
  ] as const)('%s', (_title, text, retained, expired) => {
    expect(expiredManifests(stored(text), retained)).toEqual(expired);
  });

  it('keeps checkpoints that are kept as savepoints, which do not count, and lets released savepoints go', () => {
    const marks = { kept: new Set(['1-1']), released: new Set(['2-1', '6-2']) };
    expect(expiredManifests(stored('1@1 2s@1 3@1 4s@1 5@1 6s@2'), 2, marks)).toEqual([2, 3]);
    expect(expiredManifests(stored('1@2 2s@2 3@1'), 1, marks)).toEqual([1]); // of another token
    expect(expiredManifests(stored('1@1 2s@1 3@1'), 1, mostExpired)).toEqual([1, 2]);
  });

  it('keeps all that must stay, and no more, for every set of up to four manifests', () => {
    const variants: Omit<Short, 'id'>[] = [1, 2].flatMap(token =>
      (['checkpoint', 'savepoint'] as const).flatMap(kind =>
        [true, false].map(confirmed => ({ token, kind, confirmed })),
      ),
    );
    let cases = 0;
    const visit = (manifests: Short[]): void => {
      for (const retained of [1, 2]) {
        cases++;
        expect(expiredManifests(manifests.map(asStored), retained)).toEqual(byDefinition(manifests, retained));
      }
      if (manifests.length === 4) return;
      for (const variant of variants) visit([...manifests, { ...variant, id: manifests.length + 1 }]);
    };
    visit([]);
    expect(cases).toBe(2 * (1 + 8 + 8 ** 2 + 8 ** 3 + 8 ** 4));
  });
});

/** The rule said once more, one manifest at a time. */
function byDefinition(manifests: readonly Short[], retained: number): number[] {
  const newest = manifests.findLast(manifest => manifest.confirmed);
  const goes = (one: Short): boolean => {
    if (!newest || one.id >= newest.id) return false;
    if (!one.confirmed) return one.token <= newest.token;
    if (one.kind === 'savepoint') return false;
    const newer = manifests.filter(other => other.confirmed && other.kind === 'checkpoint' && other.id > one.id);
    return newer.length >= retained;
  };
  return manifests.filter(goes).map(one => one.id);
}
