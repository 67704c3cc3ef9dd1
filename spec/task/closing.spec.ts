import { describe, expect, it } from 'vitest';
import type { JobSettings, Sink, SinkWriter } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { FedJob, outcomeOf } from '../job/fed-job.ts';
import { quiet } from '../job/quiet.ts';

/** A job whose sink closes when, and how, it is told; and what was logged as a warning. */
function closing(close: () => Promise<void>) {
  const fed = new FedJob();
  const sink: Sink<number> = {
    ...fed.sink,
    open: context => ({ ...(fed.sink.open(context) as SinkWriter<number>), close }),
  };
  const warnings: unknown[] = [];
  const logger = { ...quiet, warn: (_: object, message: string) => warnings.push(message), child: () => logger };
  const start = (settings: JobSettings = {}) =>
    fed.start({ logger, ...settings }, undefined, input => input.pipe(to(sink)));
  return { fed, start, warnings };
}
const never = new Promise<void>(() => {});

describe('closing a task', () => {
  it('is waited for: the job has ended when everything is closed', async () => {
    const held = Promise.withResolvers<void>();
    const { fed, start, warnings } = closing(() => held.promise);
    const handle = start();
    fed.push(1);
    const stopped = handle.stop();
    expect(await outcomeOf(stopped)).toBe('pending');
    held.resolve();
    await stopped;
    fed.time.advance(60_000);
    expect(warnings).toEqual([]);
  });

  it('is given up after 10 s, so that a stop comes to its end', async () => {
    const { fed, start, warnings } = closing(() => never);
    const handle = start();
    fed.push(1);
    const stopped = handle.stop();
    await fed.settled();
    fed.time.advance(9_999);
    expect(await outcomeOf(stopped)).toBe('pending');
    fed.time.advance(1);
    await stopped;
    expect(fed.sink.committed).toEqual([1]);
    expect(warnings).toEqual(['a source or sink does not close: the job goes on without it']);
  });

  it('is given up after 10 s, so that a failed task is restarted', async () => {
    let closes = 0;
    const { fed, start } = closing(() => (closes++ === 0 ? never : Promise.resolve()));
    const handle = start({ restart: { strategy: 'fixed-delay', attempts: 1, delay: 0 } });
    fed.push(1);
    fed.store.plan('prepare', 'refuses');
    handle.checkpoint();
    await fed.settled();
    fed.time.advance(10_000);
    await fed.settled();
    fed.time.advance(0);
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 2 });
    await handle.stop();
    expect(fed.sink.committed).toEqual([1]);
  });

  it('that fails is told, and is no reason to fail', async () => {
    const { fed, start, warnings } = closing(() => Promise.reject(new Error('stuck')));
    const handle = start();
    fed.push(1);
    await handle.stop();
    expect(handle.status.phase).toBe('stopped');
    expect(warnings).toEqual(['closing the sink failed']);
  });
});
