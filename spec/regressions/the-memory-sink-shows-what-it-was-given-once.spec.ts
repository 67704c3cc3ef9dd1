import { describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import type { SinkContext } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

describe('the memory sink', () => {
  // Cause: the values themselves were the handle in the manifest, which is JSON.
  it.each([1n, undefined, new Date(0), Number.NaN, -0, Symbol.iterator])(
    'shows %s as it is after a restore',
    async value => {
      const hand = new AtHand();
      const stuck = withWriter(hand.sink, () => ({ commit: () => new Promise<never>(() => {}) }));
      const first = hand.start(input => input.pipe(to(stuck)));
      hand.push(value);
      first.checkpoint();
      await first.cancel();
      expect(hand.sink.committed).toEqual([]);
      hand.start(input => input.pipe(to(hand.sink)));
      expect(hand.sink.committed).toHaveLength(1);
      expect(Object.is(hand.sink.committed[0], value)).toBe(true);
    },
  );

  // Cause: it refused what was not newer by the id alone, and ids begin again when the checkpoints were deleted.
  it('goes on when the checkpoints that filled it were deleted', async () => {
    const hand = new AtHand();
    const first = hand.start(input => input.pipe(to(hand.sink)), { checkpoint: { onCancel: 'delete' } });
    hand.push(1);
    first.checkpoint();
    hand.push(2);
    first.checkpoint();
    await first.cancel();
    expect(hand.committed).toBeUndefined();

    // Without a checkpoint the input is read from its beginning.
    const second = hand.start(input => input.pipe(to(hand.sink)));
    hand.push(3);
    await second.stop();
    expect(hand.committed?.id).toBe(1);
    expect(hand.sink.committed).toEqual([1, 2, 1, 2, 3]);
  });

  // Only id and token together name a checkpoint.
  it('takes nothing from a checkpoint that a crash left behind', async () => {
    const hand = new AtHand();
    let isStuck = false;
    const sink = withWriter(hand.sink, writer => ({
      flush: id => {
        const handle = writer.flush(id);
        return isStuck ? new Promise<never>(() => {}) : handle;
      },
    }));
    const first = hand.start(input => input.pipe(to(sink)));
    hand.push(1);
    first.checkpoint();
    isStuck = true;
    hand.push(2);
    first.checkpoint();
    isStuck = false;
    hand.push(3);
    await first.cancel();
    const second = hand.start(input => input.pipe(to(sink)));
    hand.push(4);
    second.checkpoint();
    expect(hand.committed).toMatchObject({ token: 2 });
    expect(hand.sink.committed).toEqual([1, 2, 3, 4]);
  });

  // Cause: the values went as arguments of one call, which the stack did not hold; asked again, it took them for shown.
  it('shows more values of one checkpoint than a call takes arguments', async () => {
    const sink = memorySink<number>();
    const writer = await sink.open({ token: 1 } as SinkContext);
    for (let n = 0; n < 500_000; n++) writer.write(n, n, undefined);
    writer.barrier(1);
    writer.commit(1, await writer.flush(1));
    expect(sink.committed).toHaveLength(500_000);
  });
});
