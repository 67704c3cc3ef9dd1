import { describe, expect, it } from 'vitest';
import { actor, side, type } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand } from './at-hand.ts';

const odd = side<number>('odd');
const sorting = actor('sorting', {
  emits: type<number>(),
  sides: [odd],
  initial: () => null,
  receive(_: null, value: number, ctx) {
    if (value % 2 === 0) ctx.emit(value);
    else ctx.side(odd, value);
  },
});

// Cause: a side output that no stream of the job reads had no end, so its committed output drew no line at a barrier and was
// flushed before the barrier had reached it: what the last checkpoint covered was never delivered.
describe('the committed output of a side output that no stream reads', () => {
  it('gets what each checkpoint covers, and all of it by the end', () => {
    const hand = new AtHand();
    const seen: (number | string)[] = [];
    const handle = hand.start(input => input.pipe(sorting, to(hand.sink)));
    handle.output(odd, { committed: true }).subscribe({ next: v => seen.push(v), complete: () => seen.push('|') });
    hand.push(1, 2, 3);
    expect(seen).toEqual([]);
    handle.checkpoint();
    expect(seen).toEqual([1, 3]);
    hand.push(5);
    expect(seen).toEqual([1, 3]);
    hand.complete();
    expect(seen).toEqual([1, 3, 5, '|']);
  });
});
