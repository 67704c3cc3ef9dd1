import { describe, expect, it } from 'vitest';
import { actor, from, StreamRecord, type } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { to, union } from '../../operators/index.ts';
import { AtHand } from './at-hand.ts';

describe('a job that has failed', () => {
  // Cause: the actor whose timer threw set its next alarm before it returned, when the task had closed everything already.
  it('leaves no timer behind, which would keep the process alive', async () => {
    const hand = new AtHand();
    const alarms = actor('alarms', {
      initial: () => 0,
      receive(_, delay: number, ctx) {
        ctx.timers.atProcessingTime(delay);
      },
      onTimer() {
        throw new Error('too early');
      },
    });
    const handle = hand.start(input => input.pipe(alarms, to(hand.sink)));
    hand.push(20, 5_000);
    expect(hand.scheduler.actions).toHaveLength(1);
    hand.passes(20);
    await expect(handle.done).rejects.toThrow('too early');
    expect(hand.scheduler.actions).toEqual([]);
  });
});

describe('an actor that has completed', () => {
  // Cause: its alarm was left set at its completion, and set again when it was restored as finished.
  it('fires no timer of processing time, nor does it after a restore', async () => {
    const hand = new AtHand();
    const other = new MarbleSource('other');
    const closing = actor('closing', {
      emits: type<string>(),
      update: 'return',
      initial: () => 0,
      receive(count: number, delay: number, ctx) {
        ctx.timers.atProcessingTime(ctx.now() + delay);
        return count + 1;
      },
      onTimer: (_, __, ctx) => ctx.emit('timer'),
      onComplete: (_, ctx) => ctx.emit('complete'),
    });
    const begin = () => hand.start(input => union(input.pipe(closing), from(other)).pipe(to(hand.sink)));

    const first = begin();
    hand.push(100);
    hand.complete();
    hand.passes(200);
    await first.stop();
    const second = begin();
    hand.passes(200);
    other.push({ kind: 'complete' });
    expect(await second.done).toBe('finished');
    expect(hand.sink.written).toEqual(['complete']);
  });
});

describe('time that has ended', () => {
  // Cause: at the end of bounded input every timer is due, so one that sets the next fired for ever.
  it('fires each timer that was set before, and none that these set', async () => {
    const hand = new AtHand();
    const ticking = actor('ticking', {
      emits: type<number>(),
      initial: () => ({ ticks: 0 }),
      receive: (_, __: number, ctx) => ctx.timers.atEventTime(1_000),
      onTimer(state: { ticks: number }, time, ctx) {
        state.ticks++;
        if (state.ticks > 100) throw new Error('for ever');
        ctx.emit(time);
        ctx.timers.atEventTime(time + 1_000);
      },
    });
    const handle = hand.start(input => input.pipe(ticking, to(hand.sink)));
    hand.push(new StreamRecord(1, 0));
    hand.complete();
    expect(await handle.done).toBe('finished');
    expect(hand.sink.committed).toEqual([1_000]);
  });
});
