import { map, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, type } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { scan, union } from '../../operators/index.ts';

const restart = { restart: { strategy: 'fixed-delay', attempts: 3, delay: 2 } } as const;

/** Throws at 'b' the first time that it sees it, as code does that meets a moment's trouble. */
function throwsOnce() {
  let hasThrown = false;
  return map((value: string) => {
    if (value !== 'b' || hasThrown) return value;
    hasThrown = true;
    throw new Error('no b');
  });
}

describe('an error in one branch', () => {
  it('is latched before any further element or mark on another, so no barrier commits what the branch has lost', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      // A checkpoint is asked for while b is handled: after the throw there must be none.
      const input = '    -a-b----|';
      const failing = '  -a-#';
      const other = '    -a-#';
      const committed = '----------';
      const asks = tap((value: string) => value === 'b' && run.handle?.checkpoint());
      const throws = map((value: string) => {
        if (value === 'b') throw new Error('#');
        return value;
      });
      const run = job(input, stream => {
        const asked = stream.pipe(asks);
        return { failing: asked.pipe(throws), other: asked };
      });
      const error = expect.objectContaining({ code: 'USER_CODE' });
      expectElements(run, 'failing').toBe(failing, {}, error);
      expectElements(run, 'other').toBe(other, {}, error);
      expectCommitted(run, 'failing').toBe(committed);
      expectCommitted(run, 'other').toBe(committed);
    });
  });

  it('loses nothing on either branch: the task comes back from before it', () => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a-b-B--|';
      // b is read again 2 ms later, together with the end of what had come by then.
      const committed = '--------(ab)';
      const throws = throwsOnce();
      const run = job(input, stream => ({ failing: stream.pipe(throws), other: stream }), { settings: restart });
      expectCommitted(run, 'failing').toBe(committed);
      expectCommitted(run, 'other').toBe(committed);
    });
  });

  it.each(['first', 'last'])('stops the others, wherever it is declared: %s', where => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a-b-(cB)-|';
      const committed = '----------(xyz)';
      const throws = throwsOnce();
      const run = job(
        input,
        stream => {
          const failing = stream.pipe(throws);
          const counting = stream.pipe(scan('count', (n: number) => n + 1, 0));
          return where === 'first' ? { failing, counting } : { counting, failing };
        },
        { settings: restart },
      );
      expectCommitted(run, 'failing').toBe(committed, { x: 'a', y: 'b', z: 'c' });
      expectCommitted(run, 'counting').toBe(committed, { x: 1, y: 2, z: 3 });
    });
  });

  it('stops what the same record gives to another input of a union, and the barrier behind it', () => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a-b-(cB)-|';
      const committed = '----------(aabbcc)';
      const throws = throwsOnce();
      const run = job(input, stream => union(stream.pipe(throws), stream), { settings: restart });
      expectCommitted(run).toBe(committed);
    });
  });

  it('takes no checkpoint that is under way with it', () => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a-b---|';
      const committed = '-------(ab)';
      // The actor asks for a checkpoint, and then throws at the record during which it did.
      let hasThrown = false;
      const asksAndThrows = actor('asks', {
        emits: type<string>(),
        update: 'return',
        initial: () => 0,
        receive(count: number, value: string, ctx) {
          ctx.emit(value);
          if (value === 'b' && !hasThrown) {
            hasThrown = true;
            run.handle?.checkpoint();
            throw new Error('no b');
          }
          return count + 1;
        },
      });
      const run = job(input, stream => stream.pipe(asksAndThrows), { settings: restart });
      expectCommitted(run).toBe(committed);
    });
  });
});
