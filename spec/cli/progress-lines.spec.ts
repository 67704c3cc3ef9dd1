import { describe, expect, it } from 'vitest';
import { checkpointLine, ProgressLines } from '../../cli/progress-lines.ts';
import { UserCodeError } from '../../lib/errors.ts';
import type { JobStatus } from '../../lib/job/handle.ts';
import { someCheckpoint, someStatus } from './fake-handle.ts';

/** Texts of the lines for statuses at these times. */
function texts(statuses: readonly (readonly [at: number, change: Partial<JobStatus>])[]): (string | undefined)[] {
  const progress = new ProgressLines(5_000);
  return statuses.map(([at, change]) => progress.status({ ...someStatus, ...change }, at)?.text);
}

describe('ProgressLines', () => {
  it('says each change of phase once', () => {
    const at = new Date(2001, 0, 1, 12, 0, 0).getTime();
    expect(
      texts([
        [0, { phase: 'starting' }],
        [1, { phase: 'recovering' }],
        [2, { phase: 'recovering' }],
        [3, { phase: 'running', restoredFrom: { id: 7, createdAt: at } }],
        [4, { phase: 'running' }],
        [5, { phase: 'restarting', error: new UserCodeError('boom') }],
        [6, { phase: 'running', attempt: 2 }],
        [7, { phase: 'running', attempt: 3 }],
        [8, { phase: 'stopping', attempt: 3 }],
        [9, { phase: 'stopped', attempt: 3 }],
      ]),
    ).toEqual([
      undefined,
      'delays recovering',
      undefined,
      'delays running from checkpoint #7, taken at 12:00:00',
      undefined,
      'delays restarting after USER_CODE: boom',
      'delays running from the beginning',
      'delays running from the beginning',
      'delays stopping: taking the final checkpoint',
      undefined,
    ]);
  });

  it('says which tasks run, and in how many workers', () => {
    const tasks = ['0', '1'].map(task => ({ ...someStatus, task }));
    const worker = {
      name: 'w-1',
      phase: 'running',
      pid: 12,
      tasks: ['0', '1'],
      restarts: 0,
      records: { in: 0, out: 0 },
    } as const;
    const idle = { ...worker, name: 'w-2', pid: 13, tasks: [] };
    const line = new ProgressLines().status({ ...someStatus, tasks, taskCount: 2, workers: [worker, idle] }, 0);
    expect(line?.text).toBe('delays running: tasks 0, 1 of 2 in 1 worker');
    expect(line?.fields).toMatchObject({
      workers: [
        { name: 'w-1', pid: 12, tasks: ['0', '1'] },
        { name: 'w-2', tasks: [] },
      ],
    });
    expect(checkpointLine({ ...someCheckpoint, task: '1', worker: 'w-1' })).toMatchObject({
      text: expect.stringMatching(/^checkpoint #12 of task 1 in worker w-1 committed/),
      fields: { task: '1', worker: 'w-1' },
    });
  });

  it('says every few seconds how far it is', () => {
    expect(
      texts([
        [0, { records: { in: 0, out: 0 } }],
        [2_500, { records: { in: 500, out: 0 } }],
        [4_999, { records: { in: 10_000, out: 0 } }],
        [5_000, { records: { in: 10_000, out: 7 } }],
        [9_999, { records: { in: 19_999, out: 0 } }],
        [10_000, { records: { in: 20_000, out: 7 }, sources: [] }],
      ]),
    ).toEqual([
      'delays running from the beginning',
      undefined,
      undefined,
      'delays running: 10,000 in, 7 out, 2,000/s, 54 % of flights, 2,002 keys',
      undefined,
      'delays running: 20,000 in, 7 out, 2,000/s, 2,002 keys',
    ]);
  });

  it('gives the numbers to machines', () => {
    const progress = new ProgressLines(1_000);
    progress.status({ ...someStatus, records: { in: 0, out: 0 } }, 0);
    expect(progress.status(someStatus, 1_000)).toMatchObject({
      level: 'info',
      fields: {
        event: 'progress',
        in: 10_812,
        out: 11_002,
        perSecond: 10_812,
        progress: { flights: 0.546 },
        keys: 2_002,
      },
    });
  });
});

describe('checkpointLine', () => {
  it('tells size and duration, and the final one', () => {
    expect(checkpointLine(someCheckpoint)).toEqual({
      level: 'info',
      text: 'checkpoint #12 committed: 23 kB, 182 entries, in 4 ms',
      fields: {
        event: 'checkpoint',
        id: 12,
        outcome: 'committed',
        bytes: 23_456,
        entries: 182,
        durationMs: 4,
        isFinal: false,
      },
    });
    expect(checkpointLine({ ...someCheckpoint, isFinal: true, entries: 1 }).text).toBe(
      'final checkpoint #12 committed: 23 kB, 1 entry, in 4 ms',
    );
  });

  it('warns of one that was abandoned, and is silent about a skipped one', () => {
    expect(checkpointLine({ ...someCheckpoint, outcome: 'abandoned', reason: 'store away' })).toMatchObject({
      level: 'warn',
      text: 'checkpoint #12 abandoned: store away',
    });
    expect(checkpointLine({ ...someCheckpoint, outcome: 'skipped' }).level).toBe('debug');
  });
});
