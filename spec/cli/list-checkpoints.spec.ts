import { describe, expect, it } from 'vitest';
import { listCheckpoints } from '../../cli/list-checkpoints.ts';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { SnapshotStore } from '../../lib/checkpoint/snapshot-store.ts';

const now = Date.UTC(2001, 0, 2);

function manifest(change: Partial<Manifest>): Manifest {
  return {
    format: 1,
    job: 'totals',
    task: 'main',
    id: 1,
    token: 1,
    kind: 'checkpoint',
    createdAt: now - 60_000,
    sources: {},
    actors: {},
    sinks: {},
    finished: [],
    jobFinished: false,
    closed: false,
    ...change,
  };
}

const segment = (bytes: number) => ({ name: `1-1-${bytes}`, kind: 'full' as const, bytes, entries: 1, checksum: '' });
const actors = {
  worst: { version: 0, keys: 1_500, segments: [segment(20_000), segment(3_456)] },
  sum: { version: 0, keys: 3, segments: [segment(10)] },
};

/** A store that only answers what a list needs: everything else fails. */
function store(stored: Record<string, readonly (readonly [Manifest, boolean])[]>): SnapshotStore {
  const refuse = (): never => {
    throw new Error('a list must not do this');
  };
  return {
    kind: 'file',
    location: './.tidemark',
    check: refuse,
    close: refuse,
    tasks: () => Object.keys(stored).map(job => ({ job, task: 'main' })),
    task: ({ job }) => ({
      acquireFence: refuse,
      fence: refuse,
      putSegment: refuse,
      getSegment: refuse,
      prepare: refuse,
      confirm: refuse,
      collect: refuse,
      notes: refuse,
      putNote: refuse,
      removeNote: refuse,
      clear: refuse,
      manifests: () => (stored[job] ?? []).map(([one, confirmed]) => ({ manifest: one, confirmed })),
    }),
  };
}

const two = store({
  totals: [
    [manifest({ id: 7, token: 1, kind: 'savepoint', createdAt: now - 90_000_000 }), true],
    [manifest({ id: 8, token: 2, actors, closed: true }), true],
    [manifest({ id: 9, token: 2, actors }), false],
  ],
  alerts: [[manifest({ job: 'alerts', jobFinished: true, closed: true }), true]],
  idle: [],
});

describe('listCheckpoints', () => {
  it('shows the newest first, under a heading for each task', async () => {
    expect(await listCheckpoints(two, { isJson: false, now })).toBe(
      [
        'totals / main',
        '  ID  TOKEN      AGE  STATE                   SIZE   KEYS  SEGMENTS',
        '   9      2    1 min  prepared               23 kB  1,503         3',
        '   8      2    1 min  confirmed, clean stop  23 kB  1,503         3',
        '   7      1  1 d 1 h  confirmed, savepoint     0 B      0         0',
        '',
        'alerts / main',
        '  ID  TOKEN    AGE  STATE                    SIZE  KEYS  SEGMENTS',
        '   1      1  1 min  confirmed, job finished   0 B     0         0',
        '',
        'idle / main',
        '  no checkpoint yet',
        '',
      ].join('\n'),
    );
  });

  it('shows one job', async () => {
    const text = await listCheckpoints(two, { job: 'alerts', isJson: false, now });
    expect(text).toMatch(/^alerts \/ main\n/);
    expect(text).not.toContain('totals');
  });

  it('gives everything as JSON', async () => {
    const rows = JSON.parse(await listCheckpoints(two, { job: 'totals', isJson: true, now }));
    expect(rows).toHaveLength(3);
    expect(rows[1]).toEqual({
      job: 'totals',
      task: 'main',
      id: 8,
      token: 2,
      kind: 'checkpoint',
      isConfirmed: true,
      isJobFinished: false,
      isClosed: true,
      createdAt: '2001-01-01T23:59:00.000Z',
      ageMs: 60_000,
      bytes: 23_466,
      keys: 1_503,
      segments: 3,
    });
    expect(JSON.parse(await listCheckpoints(store({}), { isJson: true, now }))).toEqual([]);
  });

  it('says that a store is empty, and which jobs it has instead', async () => {
    expect(await listCheckpoints(store({}), { isJson: false, now })).toBe('The file store at ./.tidemark is empty.\n');
    await expect(listCheckpoints(two, { job: 'total', isJson: false, now })).rejects.toThrow(
      'The file store at ./.tidemark has nothing of a job "total"; it has totals, alerts, idle.',
    );
    await expect(listCheckpoints(store({}), { job: 'total', isJson: false, now })).rejects.toThrow('it is empty.');
  });
});
