import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { to } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

describe('the ids of checkpoints', () => {
  // Cause: ids went on from the highest that the store knew, so one that was begun and never stored was used again by the next
  // incarnation, for another checkpoint.
  it('only rise, also over one that a failure cut off before anything of it was stored', () => {
    const hand = new AtHand();
    const barriers: number[] = [];
    let isStuck = false;
    const sink = withWriter(hand.sink, writer => ({
      barrier(id) {
        barriers.push(id);
        writer.barrier(id);
      },
      flush: id => (isStuck ? new Promise<never>(() => {}) : writer.flush(id)),
    }));
    let hasFailed = false;
    const failsOnce = tap((value: number) => {
      if (value !== 3 || hasFailed) return;
      hasFailed = true;
      throw new Error('3');
    });
    const restart = { strategy: 'fixed-delay', attempts: 1, delay: 1 } as const;
    const handle = hand.start(input => input.pipe(failsOnce, to(sink)), { restart });
    hand.push(1);
    handle.checkpoint();
    isStuck = true;
    hand.push(2);
    handle.checkpoint();
    isStuck = false;
    hand.push(3);
    hand.passes(1);
    handle.checkpoint();
    expect(handle.status).toMatchObject({ phase: 'running', attempt: 2 });
    expect(barriers).toEqual([1, 2, 3]);
    expect(hand.committed?.id).toBe(3);
    expect(hand.sink.committed).toEqual([1, 2, 3]);
  });
});
