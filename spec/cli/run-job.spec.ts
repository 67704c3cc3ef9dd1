import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Reporter } from '../../cli/reporter.ts';
import { runJob } from '../../cli/run-job.ts';
import { FencedError, SettingsError, UserCodeError } from '../../lib/errors.ts';
import type { JobHandle } from '../../lib/job/handle.ts';
import type { MaybePromise } from '../../lib/maybe-promise.ts';
import { silentLogger } from '../../lib/observe/create-logger.ts';
import { FakeHandle, someCheckpoint } from './fake-handle.ts';

function setUp(handle: FakeHandle, start: () => MaybePromise<JobHandle> = () => handle) {
  const said: string[] = [];
  const reporter: Reporter = {
    logger: silentLogger,
    status: ({ phase }) => said.push(phase),
    checkpoint: ({ id }) => said.push(`#${id}`),
    notice: text => said.push(`notice: ${text}`),
    end: (lines, isError) => said.push(`${isError ? 'error' : 'end'}: ${lines[0]}`),
  };
  const signals = new EventEmitter();
  const clock = { now: () => 0, monotonic: () => 0 };
  const exitCode = runJob(start, { reporter, signals, clock, close: () => void said.push('closed') });
  return { exitCode, said, signals };
}

/** Until all that is ready has run. */
const settled = () => new Promise(resolve => setImmediate(resolve));

describe('runJob', () => {
  it('shows status and checkpoints, sums up, closes, and ends with 0', async () => {
    const handle = new FakeHandle();
    const { exitCode, said, signals } = setUp(handle);
    await settled();
    handle.show({ phase: 'running' });
    handle.checkpoints.next(someCheckpoint);
    handle.end('finished');
    expect(await exitCode).toBe(0);
    expect(said).toEqual([
      'starting',
      'running',
      '#12',
      'finished',
      expect.stringMatching(/^end: delays finished: /),
      'closed',
    ]);
    expect(signals.eventNames()).toEqual([]);
  });

  it('says of a job that has finished before that nothing was done', async () => {
    const handle = new FakeHandle();
    const { exitCode, said } = setUp(handle);
    handle.show({ restoredFrom: { id: 9, createdAt: 0 } });
    handle.end('finished');
    expect(await exitCode).toBe(0);
    expect(said.find(line => line.startsWith('end:'))).toMatch(/delays has finished before: checkpoint #9/);
  });

  it.each(['SIGINT', 'SIGTERM'])(
    'stops on %s with a final checkpoint, and ends with 3 before the end of input',
    async signal => {
      const handle = new FakeHandle();
      handle.onStop = () => handle.show({ phase: 'stopping' });
      const { exitCode, said, signals } = setUp(handle);
      await settled();
      signals.emit(signal, signal);
      expect(handle.calls).toEqual(['stop']);
      expect(said).toContainEqual(expect.stringContaining(`notice: ${signal}: stopping`));
      handle.end('stopped');
      expect(await exitCode).toBe(3);
    },
  );

  it('ends with 0 when a job without bounded input is stopped', async () => {
    const handle = new FakeHandle();
    handle.show({ sources: [] });
    const { exitCode, signals } = setUp(handle);
    await settled();
    signals.emit('SIGTERM', 'SIGTERM');
    handle.end('stopped');
    expect(await exitCode).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends at once on a second signal, %s, with %d', async (signal, code) => {
    const handle = new FakeHandle();
    const { exitCode, said, signals } = setUp(handle);
    await settled();
    signals.emit('SIGTERM', 'SIGTERM');
    signals.emit(signal, signal);
    expect(await exitCode).toBe(code);
    expect(said.at(-1)).toMatch(/^error: Ended at once/);
    expect(signals.eventNames()).toEqual([]);
  });

  it('stops a job that was still starting when the signal came', async () => {
    const handle = new FakeHandle();
    const started = Promise.withResolvers<JobHandle>();
    const { exitCode, signals } = setUp(handle, () => started.promise);
    signals.emit('SIGTERM', 'SIGTERM');
    expect(handle.calls).toEqual([]);
    started.resolve(handle);
    await settled();
    expect(handle.calls).toEqual(['stop']);
    handle.end('stopped');
    expect(await exitCode).toBe(3);
  });

  it('ends at once on a second signal also while it is starting', async () => {
    const { exitCode, signals } = setUp(new FakeHandle(), () => new Promise(() => {}));
    signals.emit('SIGINT', 'SIGINT');
    signals.emit('SIGINT', 'SIGINT');
    expect(await exitCode).toBe(130);
  });

  it.each([
    [new UserCodeError('threw'), 4],
    [new FencedError('newer'), 5],
  ])('ends with the code of the fault: %s', async (error, code) => {
    const handle = new FakeHandle();
    const { exitCode, said } = setUp(handle);
    await settled();
    handle.fail(error);
    expect(await exitCode).toBe(code);
    expect(said.slice(-2)).toEqual([`error: ${error.message}`, 'closed']);
  });

  it('reports what keeps a job from starting, thrown or rejected', async () => {
    const error = new SettingsError('Wrong settings', ['a']);
    const thrown = setUp(new FakeHandle(), () => {
      throw error;
    });
    expect(await thrown.exitCode).toBe(4);
    const rejected = setUp(new FakeHandle(), () => Promise.reject(error));
    expect(await rejected.exitCode).toBe(4);
    expect(thrown.said).toEqual(['error: Wrong settings:', 'closed']);
  });

  it('reports the failure of a stop once, with the code of its fault', async () => {
    const handle = new FakeHandle();
    const { exitCode, said, signals } = setUp(handle);
    await settled();
    signals.emit('SIGTERM', 'SIGTERM');
    handle.fail(new FencedError('newer'));
    expect(await exitCode).toBe(5);
    expect(said.filter(line => line.startsWith('error:'))).toEqual(['error: newer']);
  });
});
