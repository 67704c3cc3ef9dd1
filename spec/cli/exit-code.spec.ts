import { describe, expect, it } from 'vitest';
import { exitCodeOfEnd, exitCodeOfError, exitCodes, UsageError } from '../../cli/exit-code.ts';
import { FencedError, InternalError, UserCodeError } from '../../lib/errors.ts';
import type { SourceStatus } from '../../lib/job/handle.ts';

const source = (change: Partial<SourceStatus>): SourceStatus => ({
  name: 'in',
  kind: 'file',
  records: 1,
  isPaused: false,
  isFinished: false,
  ...change,
});

describe('exit code of an end', () => {
  it.each([
    ['finished', [source({ isBounded: true, isFinished: true })], exitCodes.done],
    ['finished', [source({ isBounded: true, isFinished: false })], exitCodes.done],
    ['finished', [], exitCodes.done],
    ['cancelled', [source({ isBounded: true, isFinished: true })], exitCodes.stopped],
    ['stopped', [source({ isBounded: true })], exitCodes.stopped],
    ['stopped', [source({ isBounded: true, isFinished: true }), source({ isBounded: true })], exitCodes.stopped],
    ['stopped', [source({ progress: 0.5 })], exitCodes.stopped],
    ['stopped', [source({ isBounded: true, isFinished: true }), source({ isBounded: false })], exitCodes.done],
    ['stopped', [source({ isBounded: false, progress: 0.5 })], exitCodes.done],
    ['stopped', [source({})], exitCodes.done],
  ] as const)('%s with %j is %d', (outcome, sources, code) => {
    expect(exitCodeOfEnd(outcome, { sources })).toBe(code);
  });
});

describe('exit code of an error', () => {
  it.each([
    ['a fault of the user', new UserCodeError('x'), 4],
    ['a fault outside', new FencedError('x'), 5],
    ['a fault of ours', new InternalError('x'), 1],
    ['a usage error', new UsageError('x'), 2],
    ['an error of another copy of the package', Object.assign(new Error('x'), { fault: 'external' }), 5],
    ['a plain error', new Error('x'), 1],
    ['what is no error', undefined, 1],
    ['a fault that is not known', { fault: 'done' }, 1],
  ])('%s', (_title, error, code) => expect(exitCodeOfError(error)).toBe(code));

  it('tells all cases apart', () => {
    expect(new Set(Object.values(exitCodes)).size).toBe(Object.keys(exitCodes).length);
  });
});
