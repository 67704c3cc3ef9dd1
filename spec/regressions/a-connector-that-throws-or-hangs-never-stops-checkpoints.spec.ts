import { describe, expect, it } from 'vitest';
import type { SinkWriter, SourceReader } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { AtHand, withReader, withWriter } from './at-hand.ts';

const broken = (what: string) => () => {
  throw new Error(`${what} threw`);
};
const never = () => new Promise<never>(() => {});

// Cause of all: what these methods threw ended the chain of calls that goes on with the next checkpoint, so that the job ran
// on without any, and stop() waited for ever.
describe('a source that throws when it is told of a commit', () => {
  it('does not change that the checkpoint counts, nor the ones after it', async () => {
    const hand = new AtHand();
    const source = withReader(hand.input, () => ({ committed: broken('committed()') }));
    const handle = hand.start(input => input.pipe(to(hand.sink)), { checkpoint: { interval: 10 } }, source);
    hand.push(1);
    hand.passes(10);
    hand.push(2);
    hand.passes(10);
    expect(handle.status.lastCheckpoint).toMatchObject({ id: 2, outcome: 'committed' });
    await handle.stop();
    expect(await handle.done).toBe('stopped');
    expect(hand.sink.committed).toEqual([1, 2]);
  });
});

describe('a sink that throws when a checkpoint is abandoned', () => {
  const flushes: [string, Partial<SinkWriter<unknown>>][] = [
    ['cannot be flushed', { flush: broken('flush()') }],
    ['does not answer', { flush: never }],
  ];
  it.each(flushes)('fails the task, as its output is in doubt: it %s', async (_, flush) => {
    const hand = new AtHand();
    const sink = withWriter(hand.sink, () => ({ ...flush, abandon: broken('abandon()') }));
    const handle = hand.start(input => input.pipe(to(sink)), { checkpoint: { timeout: 50, tolerableFailures: 9 } });
    hand.push(1);
    handle.checkpoint();
    hand.passes(50);
    await expect(handle.done).rejects.toThrow('Checkpoint 1 could not be abandoned: abandon() threw');
  });
});

describe('a sink that never answers whether a commit became visible', () => {
  it('restarts the task after commitTimeout, and the next incarnation makes it visible', async () => {
    const hand = new AtHand();
    let isStuck = true;
    const sink = withWriter(hand.sink, writer => ({
      commit: (id, handle) => (isStuck ? never() : writer.commit(id, handle)),
    }));
    const restart = { strategy: 'fixed-delay', attempts: 1, delay: 1 } as const;
    const handle = hand.start(input => input.pipe(to(sink)), { checkpoint: { commitTimeout: 100 }, restart });
    hand.push(1);
    handle.checkpoint();
    await settled();
    expect(hand.sink.committed).toEqual([]);
    isStuck = false;
    hand.passes(100);
    expect(handle.status.error?.message).toMatch(
      /output of checkpoint 1 could not be made visible: a sink did not answer within 100 ms \(checkpoint.commitTimeout\)/,
    );
    hand.passes(1);
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 2 });
    expect(hand.sink.committed).toEqual([1]);
  });
});

// Cause: pause() was called by the stop itself, which ended there, so that the job was "stopping" until stopTimeout; resume() by
// whatever gave credits back, and position() by the clock, where nobody catches what it throws.
describe('a source that throws', () => {
  it.each(['pause', 'position'] satisfies (keyof SourceReader)[])(
    'in %s() fails the job that is stopped',
    async method => {
      const hand = new AtHand();
      const source = withReader(hand.input, () => ({ [method]: broken(`${method}()`) }));
      const handle = hand.start(input => input.pipe(to(hand.sink)), {}, source);
      hand.push(1);
      await expect(handle.stop()).rejects.toThrow(`The source "in"`);
      expect(handle.status).toMatchObject({ phase: 'failed', error: { context: { source: 'in' } } });
      expect(handle.status.error?.message).toMatch(`${method}() threw`);
    },
  );

  it('in position() fails the task when a checkpoint is due by the clock', () => {
    const hand = new AtHand();
    let isBroken = false;
    const source = withReader(hand.input, reader => ({
      position: () => (isBroken ? broken('position()')() : reader.position()),
    }));
    const handle = hand.start(input => input.pipe(to(hand.sink)), { checkpoint: { interval: 10 } }, source);
    hand.push(1);
    hand.passes(10);
    isBroken = true;
    hand.passes(10);
    expect(handle.status).toMatchObject({
      phase: 'failed',
      error: { message: 'The source "in" threw when it was asked for its position: position() threw' },
    });
  });

  it('in resume() fails the task that the sink gives credits back to', () => {
    const hand = new AtHand();
    const source = withReader(hand.input, () => ({ resume: broken('resume()') }));
    const holding = withWriter(hand.sink, (_, { credits, scheduler }) => ({
      write() {
        credits.acquire(1);
        scheduler.schedule(() => credits.release(1), 5);
      },
    }));
    const handle = hand.start(input => input.pipe(to(holding)), { credits: { limit: 1 } }, source);
    hand.push(1);
    expect(handle.status).toMatchObject({ phase: 'running', sources: [{ isPaused: true }] });
    hand.passes(5);
    expect(handle.status).toMatchObject({
      phase: 'failed',
      error: { message: expect.stringMatching(/resume\(\) threw/) },
    });
  });

  it('in progress() is shown without it', () => {
    const hand = new AtHand();
    const source = withReader(hand.input, () => ({ progress: broken('progress()') }));
    const handle = hand.start(input => input.pipe(to(hand.sink)), {}, source);
    hand.push(1);
    expect(handle.status.sources).toMatchObject([{ name: 'in', records: 1 }]);
    expect(handle.status.sources[0]).not.toHaveProperty('progress');
  });
});

describe('a sink that throws at a barrier', () => {
  it('fails the task, which says that it was the sink', async () => {
    const hand = new AtHand();
    const sink = withWriter(hand.sink, () => ({ barrier: broken('barrier()') }));
    const handle = hand.start(input => input.pipe(to(sink)));
    hand.push(1);
    await expect(handle.stop()).rejects.toThrow('The sink "memory" of job "at-hand" threw: barrier() threw');
  });
});
