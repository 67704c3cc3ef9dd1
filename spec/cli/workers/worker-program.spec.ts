import { describe, expect, it } from 'vitest';
import type { FromWorker, WorkerOrder } from '../../../cli/workers/messages.ts';
import { WorkerProgram, type WorkerWorld } from '../../../cli/workers/worker-program.ts';
import { job, memoryStore, UnsupportedStateError, UserCodeError } from '../../../lib/index.ts';
import type { JobSettings } from '../../../lib/job/settings.ts';
import { FakeHandle, someCheckpoint } from '../fake-handle.ts';

const order: WorkerOrder = {
  ...{ name: 'w-1', module: 'job.ts', cwd: '/app', store: '/store', log: 'info', endWithinMs: 40_000 },
  settings: { params: { limit: 3n } },
};

function program(over: Partial<WorkerWorld> = {}) {
  const handle = new FakeHandle();
  const sent: FromWorker[] = [];
  const closed: string[] = [];
  let settings: JobSettings | undefined;
  const running = new WorkerProgram({
    loadJob: async () => job('counts', () => []),
    start: (_, given) => {
      settings = given;
      return handle;
    },
    openStore: where => Object.assign(Object.create(memoryStore()), { close: () => void closed.push(where) }),
    send: message => void sent.push(structuredClone(message)),
    timers: { now: () => 0, later: () => {} },
    memoryBytes: () => 7,
    ...over,
  });
  return { running, handle, sent, closed, settings: () => settings };
}

describe('the program of a worker', () => {
  it('runs the job with the settings of its order, tells of it, and says last how it ended', async () => {
    const { running, handle, sent, closed, settings } = program();
    running.told({ do: 'begin', order });
    await expect.poll(() => handle.statuses.observed).toBe(true);
    settings()?.logger?.child({ job: 'counts' }).warn({ big: 3n, url: 'redis://me:secret@host' }, 'look');
    settings()?.logger?.debug({}, 'not at this level');
    handle.checkpoints.next(someCheckpoint);
    handle.end('finished');
    await running.ended;
    expect(settings()).toMatchObject({ params: { limit: 3n }, store: { kind: 'memory' } });
    expect(closed).toEqual(['/store']);
    expect(sent).toMatchObject([
      {
        is: 'news',
        status: { job: 'delays', phase: 'finished' },
        memoryBytes: 7,
        checkpoints: [someCheckpoint],
        lines: [
          { level: 'warn', fields: { job: 'counts', big: '3', url: 'redis://[redacted]@host' }, message: 'look' },
        ],
      },
      { is: 'ended', outcome: 'finished' },
    ]);
  });

  it('stops once the job is there, when it was told to before; a cancel comes after a stop, and nothing after a cancel', async () => {
    const { running, handle } = program();
    running.told({ do: 'begin', order });
    running.told({ do: 'stop', drain: false });
    expect(handle.calls).toEqual([]);
    await expect.poll(() => handle.calls).toEqual(['stop']);
    running.stop();
    running.told({ do: 'cancel' });
    running.stop();
    expect(handle.calls).toEqual(['stop', 'cancel']);
    handle.end('cancelled');
    await running.ended;
  });

  it('tells what the job failed with, code and fault with it', async () => {
    const cause = new Error('deep');
    const { running, sent } = program({
      start: () => {
        throw new UnsupportedStateError('no', { cause: new Error('above', { cause }), context: { operator: 'sum' } });
      },
    });
    running.told({ do: 'begin', order });
    await running.ended;
    expect(sent.at(-1)).toMatchObject({
      is: 'ended',
      isDecided: false,
      error: {
        ...{ name: 'UnsupportedStateError', message: 'no', code: 'UNSUPPORTED_STATE', fault: 'user', retriable: false },
        context: { operator: 'sum' },
        cause: { message: 'deep' },
      },
    });
  });

  it('says of a job that has run that its restart strategy has had its say', async () => {
    const { running, handle, sent } = program();
    running.told({ do: 'begin', order });
    await expect.poll(() => handle.statuses.observed).toBe(true);
    handle.fail(new UserCodeError('each time'));
    await running.ended;
    expect(sent.at(-1)).toMatchObject({ is: 'ended', isDecided: true, error: { code: 'USER_CODE', retriable: true } });
  });

  it('answers questions, and that it cannot', async () => {
    const { running, handle, sent } = program();
    running.told({ do: 'metrics', id: 1 });
    running.told({ do: 'begin', order });
    handle.ask = (async (_actor: string, key: unknown) => {
      if (key === 'bad') throw new UnsupportedStateError('bad key');
      return { key };
    }) as never;
    await expect.poll(() => sent).toEqual([{ is: 'answer', id: 1, value: '' }]);
    await expect.poll(() => handle.statuses.observed).toBe(true);
    running.told({ do: 'ask', id: 2, actor: 'sum', key: 5n });
    running.told({ do: 'ask', id: 3, actor: 'sum', key: 'bad' });
    await expect.poll(() => sent.length).toBe(3);
    expect(sent.slice(1)).toMatchObject([
      { is: 'answer', id: 2, value: { key: 5n } },
      { is: 'answer', id: 3, error: { code: 'UNSUPPORTED_STATE' } },
    ]);
    handle.end('stopped');
    await running.ended;
  });
});
