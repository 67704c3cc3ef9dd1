import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineQueue } from '../../../../connectors/kafka/sink/line-queue.ts';

const step = fc.constantFrom('push', 'push', 'push', 'take', 'take', 'draw', 'remove');

it.each([true, false])('gives everything in order, and nothing across a line that holds back (%s)', holdsBack => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const queue = new LineQueue<number>(holdsBack);
      let pushed = 0;
      let taken = 0;
      let line: number | undefined;
      for (const what of steps) {
        if (what === 'push') queue.push(pushed++);
        else if (what === 'draw') {
          queue.draw();
          line = pushed;
        } else if (what === 'remove') {
          queue.remove();
          line = undefined;
        } else {
          const next = queue.peek();
          const mayTake = taken < pushed && !(holdsBack && line !== undefined && taken >= line);
          expect(next).toBe(mayTake ? taken : undefined);
          if (next === undefined) continue;
          queue.shift();
          taken++;
        }
        expect(queue.size).toBe(pushed - taken);
        expect(queue.isDrained).toBe(line === undefined ? pushed === taken : taken >= line);
        expect(queue.mustWait).toBe(taken < pushed || (holdsBack && line !== undefined));
      }
    }),
  );
});

it('keeps its order when thousands have passed', () => {
  const queue = new LineQueue<number>(false);
  for (let i = 0; i < 5_000; i++) queue.push(i);
  for (let i = 0; i < 5_000; i++) {
    expect(queue.peek()).toBe(i);
    queue.shift();
  }
  expect(queue.peek()).toBeUndefined();
});
