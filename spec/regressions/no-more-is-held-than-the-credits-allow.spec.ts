import { describe, expect, it } from 'vitest';
import { memorySource } from '../../connectors/memory/index.ts';
import { from } from '../../lib/index.ts';
import { to, union } from '../../operators/index.ts';
import { AtHand, withWriter } from './at-hand.ts';

const numbers = (from: number) => Array.from({ length: 25 }, (_, i) => from + i);

// Cause: all sources were paused when the first one to start had used the credits up, and then the others were started.
describe('sources of a job whose sink holds all credits', () => {
  it('do not begin to read before there are credits, and lose nothing', async () => {
    const hand = new AtHand();
    let held = 0;
    let mostHeld = 0;
    const holding = withWriter(hand.sink, (writer, { credits }) => ({
      write(value, timestamp, key) {
        writer.write(value, timestamp, key);
        held++;
        mostHeld = Math.max(mostHeld, held);
        credits.acquire(1);
      },
      commit(id, handle) {
        void writer.commit(id, handle);
        const count = held;
        held = 0;
        credits.release(count);
      },
    }));
    const second = memorySource(numbers(100), { name: 'second' });
    const handle = hand.start(
      input => union(input, from(second)).pipe(to(holding)),
      { credits: { limit: 10 } },
      memorySource(numbers(0), { name: 'first' }),
    );
    expect(handle.status.sources.map(({ records, isPaused }) => ({ records, isPaused }))).toEqual([
      { records: 10, isPaused: true },
      { records: 0, isPaused: true },
    ]);
    for (let i = 0; i < 10 && handle.status.phase === 'running'; i++) handle.checkpoint();
    expect(await handle.done).toBe('finished');
    expect(mostHeld).toBe(10);
    expect(hand.sink.committed).toEqual([...numbers(0), ...numbers(100)]);
  });
});
