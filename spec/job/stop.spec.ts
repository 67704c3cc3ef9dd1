import { describe, expect, it } from 'vitest';
import { actor, type CheckpointEvent, type JobHandle, type } from '../../lib/index.ts';
import { reduce, to } from '../../operators/index.ts';
import { storeOf } from '../checkpoint/failing-store.ts';
import { FedJob, outcomeOf } from './fed-job.ts';

const phasesOf = (handle: JobHandle): string[] => {
  const phases: string[] = [];
  handle.status$.subscribe(({ phase }) => phases.at(-1) !== phase && phases.push(phase));
  return phases;
};
const checkpointsOf = (handle: JobHandle): Pick<CheckpointEvent, 'id' | 'outcome' | 'isFinal'>[] => {
  const events: Pick<CheckpointEvent, 'id' | 'outcome' | 'isFinal'>[] = [];
  handle.checkpoints$.subscribe(({ id, outcome, isFinal }) => events.push({ id, outcome, isFinal }));
  return events;
};

describe('stop', () => {
  it('takes a final checkpoint, from which the job goes on when it is started again', async () => {
    const fed = new FedJob();
    const first = fed.start();
    const phases = phasesOf(first);
    const checkpoints = checkpointsOf(first);
    fed.push(1, 2);
    await first.stop();
    expect(fed.sink.committed).toEqual([1, 3]);
    expect(phases).toEqual(['running', 'stopping', 'stopped']);
    expect(checkpoints).toEqual([{ id: 1, outcome: 'committed', isFinal: true }]);
    await expect(first.done).resolves.toBe('stopped');
    fed.push(4);
    expect(fed.sink.written).toEqual([1, 3]);
    const second = fed.start();
    fed.end();
    await expect(second.done).resolves.toBe('finished');
    expect(fed.sink.committed).toEqual([1, 3, 7]);
    expect(second.status.restoredFrom?.id).toBe(1);
  });

  it('takes none when nothing has happened since the last final one', async () => {
    const fed = new FedJob();
    fed.push(1);
    await fed.start().stop();
    const again = fed.start();
    const checkpoints = checkpointsOf(again);
    await again.stop();
    expect(checkpoints).toEqual([]);
    expect(again.status).toMatchObject({ phase: 'stopped', restoredFrom: { id: 1 } });
  });

  it('is done once, however often it is asked for', async () => {
    const fed = new FedJob();
    const handle = fed.start();
    const checkpoints = checkpointsOf(handle);
    fed.push(1);
    await Promise.all([handle.stop(), handle.stop({ drain: true }), handle.stop()]);
    await handle.stop();
    await handle.cancel();
    expect(checkpoints).toHaveLength(1);
    expect(handle.status.phase).toBe('stopped');
  });

  it('waits for a checkpoint that is under way, then takes its own', async () => {
    const fed = new FedJob();
    const held = Promise.withResolvers<void>();
    fed.store.plan('confirm', held.promise);
    const handle = fed.start();
    const checkpoints = checkpointsOf(handle);
    fed.push(1);
    handle.checkpoint();
    fed.push(2);
    const stopped = handle.stop();
    expect(await outcomeOf(stopped)).toBe('pending');
    expect(checkpoints).toEqual([]);
    held.resolve();
    await stopped;
    expect(checkpoints).toEqual([
      { id: 1, outcome: 'committed', isFinal: false },
      { id: 2, outcome: 'committed', isFinal: true },
    ]);
    expect(fed.sink.committed).toEqual([1, 3]);
  });

  it('repeats an abandoned final checkpoint at once, as often as failures are tolerated', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', 'refuses', 'refuses');
    const handle = fed.start({ checkpoint: { tolerableFailures: 2 } });
    const checkpoints = checkpointsOf(handle);
    fed.push(1);
    await handle.stop();
    expect(checkpoints).toEqual([
      { id: 1, outcome: 'abandoned', isFinal: true },
      { id: 2, outcome: 'abandoned', isFinal: true },
      { id: 3, outcome: 'committed', isFinal: true },
    ]);
    expect(fed.sink.committed).toEqual([1]);
    expect(fed.time.now).toBe(0);
  });

  it('fails when the final checkpoint fails more often, and nothing is lost', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', 'refuses', 'refuses', 'refuses');
    const restart = { strategy: 'fixed-delay', attempts: 9, delay: 10 } as const;
    const handle = fed.start({ checkpoint: { tolerableFailures: 2 }, restart });
    fed.push(1);
    await expect(handle.stop()).rejects.toMatchObject({
      code: 'CHECKPOINT',
      message: expect.stringMatching(/Checkpoint 3 failed, 3 in a row \(tolerableFailures is 2\): prepare is refused/),
    });
    expect(handle.status).toMatchObject({ phase: 'failed', attempt: 1 });
    const again = fed.start();
    fed.end();
    await again.done;
    expect(fed.sink.committed).toEqual([1]);
  });

  it('gives up at stopTimeout, and says what that means', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', 'never answers');
    const handle = fed.start({ stopTimeout: '5s' });
    fed.push(1);
    const stopped = handle.stop();
    fed.time.advance(4_999);
    expect(await outcomeOf(stopped)).toBe('pending');
    fed.time.advance(1);
    await expect(stopped).rejects.toMatchObject({
      code: 'TIMEOUT',
      message:
        'The job "sums" took no final checkpoint within 5000 ms (stopTimeout): it was ended without one, and will replay from its ' +
        'last checkpoint.',
    });
    expect(handle.status.phase).toBe('failed');
    fed.time.advance(1_000_000);
  });

  it('is heard while the job still starts: it reads nothing', async () => {
    const fed = new FedJob();
    const held = Promise.withResolvers<void>();
    fed.store.plan('acquireFence', held.promise);
    fed.push(1);
    const handle = fed.start();
    const phases = phasesOf(handle);
    const stopped = handle.stop();
    held.resolve();
    await stopped;
    expect(phases).toEqual(['starting', 'stopping', 'stopped']);
    expect(fed.sink.written).toEqual([]);
  });

  it('is heard while the job recovers from a failure', async () => {
    const fed = new FedJob();
    const held = Promise.withResolvers<void>();
    fed.store.plan('acquireFence', undefined, held.promise);
    const handle = fed.start({ restart: { strategy: 'fixed-delay', attempts: 1, delay: 10 } });
    fed.push(1);
    handle.checkpoint();
    fed.source.push({ kind: 'error', error: new Error('once') });
    fed.time.advance(10);
    expect(handle.status.phase).toBe('recovering');
    const stopped = handle.stop();
    held.resolve();
    await stopped;
    expect(handle.status).toMatchObject({ phase: 'stopped', attempt: 2, restoredFrom: { id: 1 } });
  });

  it('may be asked for by whoever is told the status, a checkpoint or a value', async () => {
    for (const [i, whom] of (['status$', 'checkpoints$'] as const).entries()) {
      const fed = new FedJob();
      const handle = fed.start({ checkpoint: { interval: 100 } });
      fed.push(1);
      let told = 0;
      (handle[whom] as typeof handle.checkpoints$).subscribe(() => {
        if (told++ === i) void handle.stop();
      });
      fed.time.advance(500);
      await expect(handle.done).resolves.toBe('stopped');
      expect(fed.sink.committed).toEqual([1]);
    }
  });

  it('while it starts in vain ends with the reason', async () => {
    const fed = new FedJob();
    fed.store.plan('acquireFence', 'forbids');
    const handle = fed.start();
    await expect(handle.stop()).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  });
});

describe('stop with drain', () => {
  const drained = () => {
    const fed = new FedJob();
    const remembering = actor<number, number, string>('remembering', {
      emits: type<string>(),
      initial: () => 0,
      receive(sum, value, ctx) {
        ctx.timers.atEventTime(1_000);
        return sum + value;
      },
      onTimer: (sum, time, ctx) => ctx.emit(`timer ${time} at ${sum}`),
      onComplete: (sum, ctx) => ctx.emit(`end at ${sum}`),
    });
    const start = () => fed.start({}, undefined, input => input.pipe(remembering, to(fed.sink as never)));
    return { fed, start };
  };

  it('completes the operators first: timers fire, and what waits for the end is emitted', async () => {
    const { fed, start } = drained();
    const handle = start();
    const phases = phasesOf(handle);
    fed.push(1, 2);
    await handle.stop({ drain: true });
    expect(fed.sink.committed).toEqual(['timer 1000 at 3', 'end at 3']);
    await expect(handle.done).resolves.toBe('finished');
    expect(phases).toEqual(['running', 'stopping', 'finished']);
  });

  it('marks the job as finished: run again it emits nothing and is done', async () => {
    const { fed, start } = drained();
    fed.push(1);
    await start().stop({ drain: true });
    fed.push(2);
    const again = start();
    await expect(again.done).resolves.toBe('finished');
    expect(fed.sink.committed).toEqual(['timer 1000 at 1', 'end at 1']);
    expect(again.status.restoredFrom?.id).toBe(1);
  });

  it('is not undone when its final checkpoint is abandoned: it is taken again, without completing twice', async () => {
    const { fed, start: _ } = drained();
    fed.store.plan('prepare', 'refuses');
    const handle = fed.start({ checkpoint: { tolerableFailures: 1 } }, storeOf(fed.store), input =>
      input.pipe(
        reduce('all', (sum: number, value: number) => sum + value, 0),
        to(fed.sink),
      ),
    );
    fed.push(1, 2);
    await handle.stop({ drain: true });
    expect(fed.sink.committed).toEqual([3]);
    expect(fed.sink.written).toEqual([3]);
  });
});

describe('cancel', () => {
  it('ends at once without a checkpoint, and keeps those that there are', async () => {
    const fed = new FedJob();
    const handle = fed.start();
    const checkpoints = checkpointsOf(handle);
    fed.push(1);
    handle.checkpoint();
    fed.push(2);
    await handle.cancel();
    await expect(handle.done).resolves.toBe('cancelled');
    expect(checkpoints).toHaveLength(1);
    const again = fed.start();
    expect(again.status).toMatchObject({ restoredFrom: { id: 1 }, records: { in: 1 } });
    await again.cancel();
  });

  it('deletes the checkpoints when it is told to: the next start begins from nothing', async () => {
    const fed = new FedJob();
    const handle = fed.start({ checkpoint: { onCancel: 'delete' } });
    fed.push(1, 2);
    handle.checkpoint();
    await handle.cancel();
    expect(fed.store.manifests()).toEqual([]);
    const again = fed.start();
    expect(again.status.restoredFrom).toBeUndefined();
    expect(again.status.records.in).toBe(2);
    await again.cancel();
  });

  it('deletes the checkpoints also while it waits to be restarted', async () => {
    const fed = new FedJob();
    const restart = { strategy: 'fixed-delay', attempts: 9, delay: '1s' } as const;
    const handle = fed.start({ checkpoint: { onCancel: 'delete' }, restart });
    fed.push(1);
    handle.checkpoint();
    fed.source.push({ kind: 'error', error: new Error('once') });
    expect(handle.status.phase).toBe('restarting');
    await handle.cancel();
    expect(handle.status.phase).toBe('cancelled');
    expect(fed.store.manifests()).toEqual([]);
    fed.time.advance(10_000);
    expect(handle.status).toMatchObject({ phase: 'cancelled', attempt: 1 });
  });

  it('keeps the checkpoints of a job that stops or finishes, whatever onCancel says', async () => {
    const fed = new FedJob();
    const handle = fed.start({ checkpoint: { onCancel: 'delete' } });
    fed.push(1);
    await handle.stop();
    expect(fed.store.manifests()).toHaveLength(1);
  });

  it('overtakes a stop whose final checkpoint hangs', async () => {
    const fed = new FedJob();
    fed.store.plan('prepare', 'never answers');
    const handle = fed.start();
    fed.push(1);
    const stopped = handle.stop();
    await handle.cancel();
    await stopped;
    await expect(handle.done).resolves.toBe('cancelled');
  });
});
