import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { to } from '../../operators/index.ts';
import { AtHand, withReader } from './at-hand.ts';

const restart = { strategy: 'fixed-delay', attempts: 9, delay: 500 } as const;
const refusesTwo = tap((value: number) => {
  if (value === 2) throw new Error('2 is too much');
});

/** A job that has committed 1 and failed at 2. */
function failed({ closing }: { closing?: Promise<void> } = {}) {
  const hand = new AtHand();
  const source = withReader(hand.input, reader => ({
    close() {
      void reader.close();
      return closing;
    },
  }));
  const handle = hand.start(input => input.pipe(refusesTwo, to(hand.sink)), { restart }, source);
  hand.push(1);
  handle.checkpoint();
  hand.push(2);
  return { hand, handle };
}

// Cause: a stop ended the wait for the restart as if there were nothing to save: records of the failed attempt that no
// checkpoint covers were left for the next start, and the exit code told a supervisor that all was done.
describe('a job that is stopped while it waits to be restarted', () => {
  it('rejects with what it failed with, for no final checkpoint is taken', async () => {
    const { hand, handle } = failed();
    expect(handle.status.phase).toBe('restarting');
    await expect(handle.stop()).rejects.toThrow('2 is too much');
    expect(handle.status).toMatchObject({
      phase: 'failed',
      error: { message: expect.stringContaining('2 is too much') },
    });
    await expect(handle.done).rejects.toThrow('2 is too much');
    expect(hand.committed).toMatchObject({ id: 1, closed: false });
    hand.passes(1_000);
    expect(handle.status).toMatchObject({ phase: 'failed', attempt: 1 });
  });

  it('does so too while the failed task is still being closed', async () => {
    const closing = Promise.withResolvers<void>();
    const { handle } = failed({ closing: closing.promise });
    const stopped = handle.stop();
    closing.resolve();
    await expect(stopped).rejects.toThrow('2 is too much');
    expect(handle.status.phase).toBe('failed');
  });
});

describe('a job that is cancelled', () => {
  it('while it waits to be restarted, is cancelled', async () => {
    const { handle } = failed();
    await handle.cancel();
    expect(await handle.done).toBe('cancelled');
  });

  it('while the failed task is still being closed, is cancelled', async () => {
    const closing = Promise.withResolvers<void>();
    const { handle } = failed({ closing: closing.promise });
    const cancelled = handle.cancel();
    closing.resolve();
    await cancelled;
    expect(await handle.done).toBe('cancelled');
  });

  // Cause: cancel() answered as `done` does, so whoever made sure that a job was over met the error of long ago.
  it('after it has failed for good, is over, and still says why', async () => {
    const { handle } = failed();
    await handle.stop().catch(() => {});
    await expect(handle.cancel()).resolves.toBeUndefined();
    await expect(handle.done).rejects.toThrow('2 is too much');
  });
});
