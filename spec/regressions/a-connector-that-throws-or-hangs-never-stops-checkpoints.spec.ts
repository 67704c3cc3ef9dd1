import { describe, expect, it } from 'vitest';
import type { SinkWriter } from '../../lib/index.ts';
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
