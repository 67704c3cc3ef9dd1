import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { JobHandle } from '../../lib/index.ts';
import { scan, to } from '../../operators/index.ts';
import { AtHand } from './at-hand.ts';

const count = scan('count', (n: number, _: number) => n + 1, 0);

/** A job that is asked while it handles its first record, then does `next`. */
function askedInside(next: (handle: JobHandle) => void) {
  const hand = new AtHand();
  let answer: Promise<unknown> | undefined;
  const handle = hand.start(input =>
    input.pipe(
      count,
      tap(() => {
        answer = handle.ask('count');
        next(handle);
      }),
      to(hand.sink),
    ),
  );
  hand.push(1);
  return { answer, handle };
}

describe('a question to an actor that comes while a record is handled', () => {
  it('is answered behind the record', async () => {
    const { answer } = askedInside(() => {});
    expect(await answer).toBe(1);
  });

  // Cause: what waits at the gate is dropped when the task ends, and nobody told the one who had asked.
  it('is refused when the task fails with that record', async () => {
    const { answer } = askedInside(() => {
      throw new Error('no');
    });
    await expect(answer).rejects.toMatchObject({
      code: 'NOT_RUNNING',
      message: expect.stringMatching(/ended before its actor "count" could answer/),
    });
  });

  it('is refused when the job is cancelled there', async () => {
    const { answer, handle } = askedInside(asked => void asked.cancel());
    await expect(answer).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    expect(await handle.done).toBe('cancelled');
  });
});
