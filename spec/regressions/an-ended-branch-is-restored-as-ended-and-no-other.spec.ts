import { map, take, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand } from './at-hand.ts';

describe('a job that was stopped at the moment at which its last branch ended', () => {
  // Cause: the branches completed while the graph was opened, before there was a coordinator to take the final checkpoint.
  it('finishes when it is started again', async () => {
    const hand = new AtHand();
    const first = hand.start(input =>
      input.pipe(
        tap(value => {
          if (value === 2) void first.stop();
        }),
        take(2),
        to(hand.sink),
      ),
    );
    hand.push(1, 2);
    expect(await first.done).toBe('stopped');
    expect(hand.committed).toMatchObject({ jobFinished: false, finished: [expect.any(String)] });

    const second = hand.start(input =>
      input.pipe(
        tap(() => {}),
        take(2),
        to(hand.sink),
      ),
    );
    hand.push(3);
    expect(second.status.phase).toBe('finished');
    expect(hand.committed).toMatchObject({ jobFinished: true });
    expect(hand.sink.committed).toEqual([1, 2]);
  });
});

describe('a branch beside one that has ended', () => {
  // Cause: native operators were named by their number among those that read the same stream, so a change of the job gave the
  // word "finished" of one branch to another, which then let nothing pass.
  it.each(['comes first', 'has a new one before it'] as const)(
    'goes on when, after a change of the job, it %s',
    async change => {
      const hand = new AtHand();
      const ended = memorySink<number>({ name: 'ended' });
      const open = memorySink<number>({ name: 'open' });
      const added = memorySink<number>({ name: 'added' });
      const passOn = map((value: number) => value);
      const begin = (isChanged: boolean) =>
        hand.start(input => {
          const endedBranch = input.pipe(take(1), to(ended));
          const openBranch = input.pipe(passOn, to(open));
          if (!isChanged) return [endedBranch, openBranch];
          if (change === 'comes first') return [openBranch, endedBranch];
          return [input.pipe(passOn, to(added)), endedBranch, openBranch];
        });
      const first = begin(false);
      hand.push(1, 2);
      await first.stop();
      const second = begin(true);
      hand.push(3, 4);
      await second.stop();
      expect({ open: open.committed, ended: ended.committed }).toEqual({ open: [1, 2, 3, 4], ended: [1] });
      if (change === 'has a new one before it') expect(added.committed).toEqual([3, 4]);
    },
  );
});
