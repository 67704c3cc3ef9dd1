import { describe, expect, it } from 'vitest';
import { scan, to } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

const sum = scan('sum', (total: number, value: number) => total + value, 0);

// Cause: the manifest took its list of finished nodes when it was written, not at the barrier. A node that completed in the
// meantime was stored as finished beside state from before it; restored, it let nothing pass any more.
describe('what comes while a checkpoint is written', () => {
  it('is read again after a crash, also when it was the end of the input', async () => {
    const hand = new AtHand();
    const flushed = Promise.withResolvers<void>();
    const slow = withWriter(hand.sink, writer => ({
      flush: id => {
        const handle = writer.flush(id);
        return flushed.promise.then(() => handle);
      },
    }));
    const first = hand.start(input => input.pipe(sum, to(slow)));
    first.checkpoints$.subscribe(() => void first.cancel());
    hand.push(1, 2);
    first.checkpoint();
    hand.push(3, 4);
    hand.complete();
    flushed.resolve();
    expect(await first.done).toBe('cancelled');
    expect(hand.committed).toMatchObject({ id: 1, sources: { in: { position: 2, finished: false } }, finished: [] });
    expect(hand.sink.committed).toEqual([1, 3]);

    const second = hand.start(input => input.pipe(sum, to(hand.sink)));
    expect(await second.done).toBe('finished');
    expect(hand.sink.committed).toEqual([1, 3, 6, 10]);
  });
});
