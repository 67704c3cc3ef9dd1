import { describe, expect, it } from 'vitest';
import { endText } from '../../cli/end-report.ts';
import type { JobOutcome, JobStatus } from '../../lib/job/handle.ts';
import { someCheckpoint, someStatus } from './fake-handle.ts';

const text = (outcome: JobOutcome, change: Partial<JobStatus> = {}, hasRun = true) =>
  endText(outcome, { ...someStatus, ...change }, 1_400, hasRun);

describe('endText', () => {
  it('sums up a finished job', () => {
    const sources = someStatus.sources.map(source => ({ ...source, isFinished: true }));
    expect(text('finished', { lastCheckpoint: someCheckpoint, sources })).toBe(
      'delays finished: 10,812 records in, 11,002 out, in 1.4 s. Checkpoint #12 covers all of its input.',
    );
  });

  it('says when a job finished because its branches ended before its input', () => {
    expect(text('finished', { lastCheckpoint: someCheckpoint })).toBe(
      'delays finished: 10,812 records in, 11,002 out, in 1.4 s. Every branch ended before the input did; checkpoint #12 says that it is done.',
    );
  });

  it('says that a job has finished before', () => {
    const createdAt = new Date(2001, 0, 2, 12, 0, 0).getTime();
    expect(text('finished', { restoredFrom: { id: 9, createdAt } }, false)).toBe(
      'delays has finished before: checkpoint #9 of Tue Jan 02 2001 12:00:00 was its last, so there was nothing left to do. With --fresh it starts over.',
    );
    expect(text('finished', { restoredFrom: { id: 9, createdAt } }, true)).toMatch(/^delays finished: /);
  });

  it('says how far a job came that was stopped, and from where it goes on', () => {
    expect(text('stopped', { lastCheckpoint: someCheckpoint })).toBe(
      'delays stopped on request before its input had ended (54 % of flights): 10,812 records in, 11,002 out, in 1.4 s. Started again, it goes on from checkpoint #12.',
    );
    expect(text('stopped', { sources: [], lastCheckpoint: { ...someCheckpoint, outcome: 'skipped' } })).toBe(
      'delays stopped on request: 10,812 records in, 11,002 out, in 1.4 s. Started again, it goes on from its last checkpoint.',
    );
  });

  it('says that a cancelled job took no final checkpoint', () => {
    expect(text('cancelled')).toBe(
      'delays was cancelled, without a final checkpoint: 10,812 records in, 11,002 out, in 1.4 s.',
    );
  });
});
