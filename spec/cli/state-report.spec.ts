import { describe, expect, it } from 'vitest';
import { stateReportJson, stateReportLines } from '../../cli/state-report.ts';
import { StateMismatchError, type StateReport } from '../../lib/index.ts';

const now = Date.UTC(2001, 0, 2);
const checkpoint = { id: 7, createdAt: now - 60_000, isJobFinished: false, mayBeOvertaken: false };
const empty: StateReport = { job: 'totals', task: 'main', actors: [], sources: [], sinks: [] };
const problem = new StateMismatchError('no b');

const changed: StateReport = {
  ...empty,
  checkpoint: { ...checkpoint, mayBeOvertaken: true },
  actors: [
    {
      name: 'total',
      change: 'changed',
      storedVersion: 1,
      version: 3,
      keys: 1_200,
      hasCodec: true,
      states: [
        { name: 'seen', change: 'same', storedKind: 'map', kind: 'map' },
        { name: 'last', change: 'new', kind: 'value' },
        { name: 'open', change: 'dropped', storedKind: 'map' },
        { name: 'list', change: 'changed', storedKind: 'map', kind: 'list' },
      ],
      migrated: 1_199,
      problem,
    },
    {
      name: 'fresh',
      change: 'new',
      version: 1,
      keys: 0,
      hasCodec: false,
      states: [{ name: 'x', change: 'new', kind: 'map' }],
    },
    { name: 'old', change: 'dropped', storedVersion: 2, keys: 3, hasCodec: false, states: [] },
    {
      name: 'other',
      change: 'same',
      storedVersion: 1,
      version: 1,
      keys: 1,
      hasCodec: false,
      states: [],
      migrated: 0,
      problem: new StateMismatchError('no c'),
    },
  ],
  sources: [{ name: 'payments', change: 'same' }],
  sinks: [{ name: 'out', change: 'new' }],
  problem,
};

describe('what --check has found', () => {
  it('is a table, and what is to be said about it', () => {
    expect(stateReportLines(changed, now)).toEqual([
      'totals / main against checkpoint 7, 1 min old',
      '  KIND    NAME      STATE    VERSION   KEYS  MIGRATED',
      '  actor   total     changed  1 → 3    1,200     1,199  "last" new, "open" dropped, "list" map → list, codec, refused',
      '  actor   fresh     new      1',
      '  actor   old       dropped  2            3',
      '  actor   other     same     1            1         0  refused',
      '  source  payments  same',
      '  sink    out       new',
      '  A newer checkpoint is prepared. What decides about it was not asked: a start may go on from that one.',
      '  other: no c',
    ]);
  });

  it('is nothing without a checkpoint, and one line when the job has finished', () => {
    expect(stateReportLines(empty, now)).toEqual([]);
    expect(stateReportLines({ ...empty, checkpoint: { ...checkpoint, isJobFinished: true } }, now)).toEqual([
      'totals / main against checkpoint 7, 1 min old: the job has finished, and a start has nothing left to do',
    ]);
  });

  it('is all there for programs', () => {
    const json = JSON.parse(JSON.stringify(stateReportJson(changed)));
    expect(json).toMatchObject({
      isReady: false,
      task: 'main',
      checkpoint: { id: 7, createdAt: '2001-01-01T23:59:00.000Z' },
      actors: [
        { name: 'total', storedVersion: 1, version: 3, migrated: 1_199, problem: { message: 'no b' } },
        {},
        {},
        {},
      ],
      sinks: [{ name: 'out', change: 'new' }],
      problem: { code: 'STATE_MISMATCH', message: 'no b' },
    });
    expect(stateReportJson(empty)).toEqual({ isReady: true, task: 'main', actors: [], sources: [], sinks: [] });
  });
});
