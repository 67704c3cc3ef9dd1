import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySource, takeCheckpoint } from '../../connectors/memory/index.ts';
import type { Source } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

describe('the position in a checkpoint', () => {
  // Cause: sources were resumed inside the gate, so all that they gave at once waited there; a barrier that was asked for
  // among it took the position behind them and passed before them.
  it('is never past records that still wait to be handled', () => {
    const hand = new AtHand();
    const holding = withWriter(hand.sink, (writer, { credits, scheduler }) => {
      let held = 0;
      return {
        write(value, timestamp, key) {
          credits.acquire(1);
          held++;
          if (held === 4) {
            scheduler.schedule(() => {
              credits.release(held);
              held = 0;
            }, 5);
          }
          writer.write(value, timestamp, key);
        },
      };
    });
    const source = memorySource([1, 2, 3, 4, 5, takeCheckpoint, 6, 7, 8, 9]);
    let hasFailed = false;
    const failsOnce = map((value: number) => {
      if (value !== 8 || hasFailed) return value;
      hasFailed = true;
      throw new Error('8');
    });
    const handle = hand.start(
      input => input.pipe(failsOnce, to(holding)),
      { credits: { limit: 4 }, restart: { strategy: 'fixed-delay', attempts: 1, delay: 1 } },
      source,
    );
    hand.passes(100);
    expect(handle.status).toMatchObject({ phase: 'finished', attempt: 2 });
    expect(hand.sink.committed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  // Cause: a checkpoint was skipped when no record had entered, although the source had moved on over what it gives nothing for.
  it('follows a source that moves on without giving a record', () => {
    const hand = new AtHand();
    let position = 0;
    const reader = { start() {}, position: () => position, pause() {}, resume() {}, close() {} };
    const source: Source<number> = { kind: 'moving', name: 'in', bounded: false, open: () => reader };
    hand.start(input => input.pipe(to(hand.sink)), { checkpoint: { interval: 10 } }, source);
    hand.passes(30);
    position = 1_000;
    hand.passes(30);
    expect(hand.committed?.sources.in?.position).toBe(1_000);
  });
});
