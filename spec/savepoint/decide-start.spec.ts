import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import { SavepointError } from '../../lib/errors.ts';
import { rewindOf } from '../../lib/savepoint/rewind.ts';
import { originOf, type Savepoint } from '../../lib/savepoint/savepoint.ts';
import { decideStart } from '../../lib/savepoint/start-from.ts';

const manifest = (change: Partial<Manifest>): Manifest => ({
  format: 1,
  job: 'totals',
  task: 'main',
  id: 5,
  token: 1,
  kind: 'savepoint',
  createdAt: 0,
  sources: {},
  actors: {},
  sinks: {},
  finished: [],
  jobFinished: false,
  closed: false,
  ...change,
});

const saved = manifest({});
const origin = originOf(saved);
const savepoint: Savepoint = { job: 'totals', name: 'five', createdAt: 0, where: '', tasks: [] };
const decided = (newest: Manifest | undefined, rewind?: number, job = 'totals') =>
  decideStart({ job, task: 'main' }, newest, { savepoint, origin, rewind: rewindOf(rewind) });

describe('a start from a savepoint', () => {
  it('begins with it where the job has nothing, or nothing newer', () => {
    expect(decided(undefined)).toBe('restore');
    expect(decided(undefined, 7)).toBe('restore');
    expect(decided(saved)).toBe('restore');
  });

  it('goes on from what descends from it, also when a choice of an earlier start is still set', () => {
    const descendant = manifest({ id: 9, kind: 'checkpoint', origin });
    expect(decided(descendant)).toBe('resume');
    expect(decided(descendant, 6)).toBe('resume');
    expect(decided(manifest({ id: 9, job: 'fork', origin }), undefined, 'fork')).toBe('resume');
  });

  it('goes back to it when the newest checkpoint is named, whatever that descends from', () => {
    expect(decided(manifest({ id: 9 }), 9)).toBe('restore');
    expect(decided(manifest({ id: 9, origin }), 9)).toBe('restore');
  });

  it('is refused where anything else came after, or another checkpoint is named', () => {
    const other = originOf(manifest({ id: 4 }));
    for (const newest of [manifest({ id: 6 }), manifest({ id: 6, origin: other }), manifest({ closed: true })]) {
      expect(() => decided(newest)).toThrow(SavepointError);
      expect(() => decided(newest, 8)).toThrow(`--rewind ${newest.id}`);
    }
    expect(() => decided(manifest({ id: 6, commitPoint: { kind: 'kafka', clusterId: 'k' } }))).toThrow(
      'Its output in Kafka cannot be taken back.',
    );
    expect(() => decided(manifest({ id: 6, job: 'fork' }), undefined, 'fork')).toThrow(
      'does not descend from the savepoint "five" of job "totals"',
    );
  });
});
