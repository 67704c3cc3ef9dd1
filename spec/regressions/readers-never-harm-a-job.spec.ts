import { config, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type JobHandle, side } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { AtHand } from './at-hand.ts';

const out = side<number>('out');

/** All that a handle lets an application observe. */
const observables: Readonly<Record<string, (handle: JobHandle) => Observable<unknown>>> = {
  'output(tag)': handle => handle.output(out),
  'output(tag, { committed: true })': handle => handle.output(out, { committed: true }),
  status$: handle => handle.status$,
  checkpoints$: handle => handle.checkpoints$,
  metrics$: handle => handle.metrics$,
};

afterEach(() => {
  config.onUnhandledError = null;
});

describe('an application that reads a job', () => {
  // RxJS tells the application's own hook what its handlers throw, a turn later; the job has nothing to do with it.
  it('may throw at everything that it is told: the job goes on, and other readers miss nothing', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = error => reported.push(error);
    const hand = new AtHand();
    const seen: number[] = [];
    const handle = hand.start(input => input.pipe(to(out), to(hand.sink)));
    for (const observe of Object.values(observables)) {
      observe(handle).subscribe(() => {
        throw new Error('the reader threw');
      });
    }
    handle.output(out).subscribe(value => seen.push(value));
    hand.push(1, 2);
    handle.checkpoint();
    hand.push(3);
    hand.complete();
    expect(await handle.done).toBe('finished');
    await new Promise(resolve => setTimeout(resolve)); // behind what RxJS has put off
    expect(reported).toContainEqual(new Error('the reader threw'));
    expect(seen).toEqual([1, 2, 3]);
    expect(hand.sink.committed).toEqual([1, 2, 3]);
  });

  // Cause: an output that was observed for the first time after the end was never completed.
  it.each(Object.entries(observables))(
    'is told that it is over when it comes after the end: %s',
    async (_, observe) => {
      const hand = new AtHand();
      const handle = hand.start(input => input.pipe(to(out)));
      hand.complete();
      await handle.done;
      await new Promise<void>((complete, error) => observe(handle).subscribe({ complete, error }));
    },
  );
});
