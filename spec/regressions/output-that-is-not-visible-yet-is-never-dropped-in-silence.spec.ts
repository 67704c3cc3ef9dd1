import { describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import type { Sink } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

/** A job whose checkpoint is committed, and which ends before its sink has made visible what it covers. */
async function leftBetweenCommitAndApply(): Promise<AtHand> {
  const hand = new AtHand();
  const stuck = withWriter(hand.sink, () => ({ commit: () => new Promise<never>(() => {}) }));
  const handle = hand.start(input => input.pipe(to(stuck)));
  hand.push(1, 2);
  handle.checkpoint();
  await handle.cancel();
  expect(hand.committed?.id).toBe(1);
  expect(hand.sink.committed).toEqual([]);
  return hand;
}

describe('what a checkpoint covers and its sink has not made visible', () => {
  it('becomes visible when the sink is there again', async () => {
    const hand = await leftBetweenCommitAndApply();
    hand.start(input => input.pipe(to(hand.sink)));
    expect(hand.sink.committed).toEqual([1, 2]);
  });

  // Cause: handles of a manifest were looked up by the names of the job's sinks, and the others were passed over.
  it('refuses a job in which the sink has another name or is missing', async () => {
    const hand = await leftBetweenCommitAndApply();
    const renamed: Sink<number> = memorySink({ name: 'renamed' });
    const handle = hand.start(input => input.pipe(to(renamed)));
    expect(handle.status.error).toMatchObject({
      code: 'STATE_MISMATCH',
      message: expect.stringMatching(/holds what the sink "memory" may not have made visible yet/),
    });
  });

  it('is dropped with allowDroppedState', async () => {
    const hand = await leftBetweenCommitAndApply();
    const renamed = memorySink<number>({ name: 'renamed' });
    const handle = hand.start(input => input.pipe(to(renamed)), { allowDroppedState: true });
    hand.push(3);
    await handle.stop();
    expect(renamed.committed).toEqual([3]);
  });
});
