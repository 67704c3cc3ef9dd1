import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InternalError } from '../../lib/errors.ts';
import { Credits } from '../../lib/task/credits.ts';

function recorded(limit: number): { credits: Credits; events: string[] } {
  const events: string[] = [];
  const credits = new Credits(limit, {
    onExhausted: () => events.push('exhausted'),
    onAvailable: () => events.push('available'),
  });
  return { credits, events };
}

describe('Credits', () => {
  it('pauses when all are held and resumes at half, once each', () => {
    const { credits, events } = recorded(10);
    const sink = credits.holder('sink');
    sink.acquire(9);
    expect(events).toEqual([]);
    sink.acquire(1);
    sink.acquire(5);
    expect(events).toEqual(['exhausted']);
    expect(credits.isExhausted).toBe(true);
    sink.release(9);
    expect(events).toEqual(['exhausted']);
    sink.release(1);
    sink.release(1);
    expect(events).toEqual(['exhausted', 'available']);
    sink.acquire(6);
    expect(events).toEqual(['exhausted', 'available', 'exhausted']);
  });

  it('pauses while a holder says that it is full, whatever it holds, and tells once', () => {
    const { credits, events } = recorded(10);
    const [one, other] = [credits.holder('one'), credits.holder('other')];
    one.full(true);
    one.full(true);
    other.full(true);
    expect(events).toEqual(['exhausted']);
    one.full(false);
    other.acquire(6);
    expect(credits.isExhausted).toBe(true);
    other.full(false);
    other.full(false);
    expect(credits.isExhausted).toBe(true);
    other.release(1);
    expect(events).toEqual(['exhausted', 'available']);
  });

  it('resumes an odd limit below its half, and a limit of one at none', () => {
    const odd = recorded(5);
    odd.credits.holder('sink').acquire(5);
    odd.credits.holder('sink').release(2);
    expect(odd.credits.isExhausted).toBe(true);
    odd.credits.holder('sink').release(1);
    expect(odd.credits.isExhausted).toBe(false);

    const one = recorded(1);
    one.credits.holder('sink').acquire(1);
    one.credits.holder('sink').release(1);
    expect(one.events).toEqual(['exhausted', 'available']);
  });

  it('adds holders up and says who holds how many', () => {
    const { credits, events } = recorded(4);
    credits.holder('sink').acquire(2);
    credits.holder('lookup').acquire(2);
    credits.holder('idle');
    expect(events).toEqual(['exhausted']);
    expect(credits.held).toBe(4);
    expect([...credits.byHolder()]).toEqual([
      ['sink', 2],
      ['lookup', 2],
      ['idle', 0],
    ]);
    credits.holder('lookup').release(2);
    expect(events).toEqual(['exhausted', 'available']);
  });

  it('refuses a release of more than the holder has, and changes nothing', () => {
    const { credits } = recorded(10);
    credits.holder('sink').acquire(1);
    credits.holder('lookup').acquire(5);
    expect(() => credits.holder('sink').release(2)).toThrow(InternalError);
    expect(() => credits.holder('sink').release(2)).toThrow('"sink" released 2 credits but held 1');
    expect(credits.held).toBe(6);
  });

  it.each([-1, 0.5, Number.NaN])('refuses a count of %s', count => {
    const { credits } = recorded(10);
    expect(() => credits.holder('sink').acquire(count)).toThrow(InternalError);
    expect(() => credits.holder('sink').release(count)).toThrow(InternalError);
  });

  it('stays consistent when a change is made from within its own event', () => {
    const events: string[] = [];
    const credits: Credits = new Credits(2, {
      onExhausted: () => {
        events.push('exhausted');
        credits.holder('sink').release(2);
      },
      onAvailable: () => events.push('available'),
    });
    credits.holder('sink').acquire(2);
    expect(events).toEqual(['exhausted', 'available']);
    expect(credits).toMatchObject({ held: 0, isExhausted: false });
  });

  it('alternates its events and agrees with a plain sum, whatever is acquired and released', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: -8, max: 8 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), steps, (limit, steps) => {
        const { credits, events } = recorded(limit);
        const held: Record<string, number> = { a: 0, b: 0, c: 0 };
        let isPaused = false;
        for (const [name, change] of steps) {
          const bounded = Math.max(change, -(held[name] ?? 0));
          held[name] = (held[name] ?? 0) + bounded;
          if (bounded >= 0) credits.holder(name).acquire(bounded);
          else credits.holder(name).release(-bounded);
          const sum = Object.values(held).reduce((a, b) => a + b);
          if (sum >= limit) isPaused = true;
          else if (sum * 2 <= limit) isPaused = false;
          expect(credits.held).toBe(sum);
          expect(credits.isExhausted).toBe(isPaused);
        }
        expect(events).toEqual(events.map((_, i) => (i % 2 === 0 ? 'exhausted' : 'available')));
        expect(events.length % 2 === 1).toBe(isPaused);
      }),
      { numRuns: 300 },
    );
  });
});
