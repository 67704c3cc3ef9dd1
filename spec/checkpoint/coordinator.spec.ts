import { describe, expect, it } from 'vitest';
import type { StoredManifest } from '../../lib/checkpoint/snapshot-store.ts';
import { CheckpointError, FencedError, StoreRefusedError, UnsupportedStateError } from '../../lib/errors.ts';
import { Coordinated, settled } from './coordinated.ts';
import type { StoreStep } from './failing-store.ts';

const failsOnce = () => {
  throw new Error('the sink is full');
};

describe('a checkpoint', () => {
  it('writes state, then flushes, prepares and commits, and only then is anything made visible', () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.store.asked.length = 0;
    task.coordinator.trigger();
    expect(task.store.asked).toEqual(['putSegment', 'prepare', 'confirm']);
    expect(task.sunk).toEqual(['barrier 1', 'flush 1', 'commit 1 of handle 1']);
    expect(task.acknowledged).toEqual([1]);
    expect(task.outcomes).toEqual(['committed 1']);
    expect(task.committed).toMatchObject({ id: 1, sources: { source: { position: 1 } }, sinks: { sink: 'handle 1' } });
  });

  it('holds what changed since the last one, and names the segments before it', () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.set('b', 1);
    task.set('c', 1);
    task.coordinator.trigger();
    task.set('b', 2);
    task.delete('a');
    task.coordinator.trigger();
    expect(task.committed?.actors.actor?.segments.map(({ kind, entries }) => ({ kind, entries }))).toEqual([
      { kind: 'full', entries: 3 },
      { kind: 'delta', entries: 2 },
    ]);
    expect(task.restored()).toEqual(task.live);
  });

  it('names no segment before it when all of a small state has changed', () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.set('b', 1);
    task.coordinator.trigger();
    task.set('b', 2);
    task.delete('a');
    task.coordinator.trigger();
    expect(task.committed?.actors.actor?.segments).toMatchObject([{ kind: 'full', entries: 1 }]);
    expect(task.restored()).toEqual(task.live);
  });

  it('takes one at a time: another request is passed over', async () => {
    const task = new Coordinated();
    const gate = Promise.withResolvers<void>();
    task.store.plan('prepare', gate.promise);
    task.set('a', 1);
    task.coordinator.trigger();
    await settled();
    task.coordinator.trigger();
    gate.resolve();
    await settled();
    expect(task.outcomes).toEqual(['committed 1']);
  });
});

describe('an abandoned checkpoint', () => {
  const failures: [string, (task: Coordinated) => void][] = [
    ['a segment is refused', task => task.store.plan('putSegment', 'refuses')],
    ['the answer to a segment is lost', task => task.store.plan('putSegment', 'loses the answer')],
    ['the manifest is refused', task => task.store.plan('prepare', 'refuses')],
    ['the answer to the manifest is lost', task => task.store.plan('prepare', 'loses the answer')],
    ['a sink cannot flush', task => task.flushes.push(failsOnce)],
    ['a sink cannot flush in the end', task => task.flushes.push(() => Promise.reject(new Error('the disk is full')))],
  ];

  it.each(failures)('loses no state: %s', async (_, fail) => {
    const task = new Coordinated({ tolerableFailures: 1 });
    task.set('kept', 1);
    task.set('changed', 1);
    task.set('deleted', 1);
    task.addTimer('kept', 10);
    task.addTimer('removed', 20);
    task.coordinator.trigger();
    task.set('changed', 2);
    task.set('new', 2);
    task.delete('deleted');
    task.removeTimer('removed', 20);
    task.addTimer('new', 30);
    fail(task);
    task.coordinator.trigger();
    await settled();
    expect(task.outcomes).toEqual(['committed 1', 'abandoned 2']);
    expect(task.sunk).toContain('abandon 2');
    task.set('later', 3);
    task.coordinator.trigger();
    await settled();
    expect(task.outcomes.at(-1)).toBe('committed 3');
    expect(task.committed?.sources.source?.position).toBe(task.position);
    expect(task.restored()).toEqual(task.live);
    expect(task.live.values).toEqual([
      ['kept', 1],
      ['changed', 2],
      ['new', 2],
      ['later', 3],
    ]);
    expect(task.live.timers).toEqual([
      ['kept', 10],
      ['new', 30],
    ]);
    expect(task.failures).toEqual([]);
  });

  it('loses nothing that changed while it was being written either', async () => {
    const task = new Coordinated({ tolerableFailures: 1 });
    task.set('a', 1);
    task.set('b', 1);
    task.addTimer('a', 10);
    task.coordinator.trigger();
    const gate = Promise.withResolvers<void>();
    task.set('a', 2);
    task.delete('b');
    task.set('c', 2);
    task.addTimer('c', 20);
    task.store.plan('prepare', gate.promise);
    task.coordinator.trigger();
    await settled();
    task.set('b', 3);
    task.delete('a');
    task.delete('c');
    task.removeTimer('a', 10);
    task.removeTimer('c', 20);
    task.addTimer('b', 30);
    gate.reject(new Error('the store went away'));
    await settled();
    expect(task.outcomes).toEqual(['committed 1', 'abandoned 2']);
    task.coordinator.trigger();
    await settled();
    expect(task.outcomes.at(-1)).toBe('committed 3');
    expect(task.restored()).toEqual(task.live);
    expect(task.live.values).toEqual([['b', 3]]);
  });

  it('holds the whole state again when the first one was abandoned', () => {
    const task = new Coordinated({ tolerableFailures: 1 });
    task.set('a', 1);
    task.store.plan('putSegment', 'refuses');
    task.coordinator.trigger();
    task.set('b', 2);
    task.coordinator.trigger();
    expect(task.committed?.actors.actor?.segments).toMatchObject([{ kind: 'full', entries: 2 }]);
  });

  it('uses its id for nothing else', () => {
    const task = new Coordinated({ tolerableFailures: 2 });
    task.store.plan('prepare', 'loses the answer', 'refuses');
    for (let i = 0; i < 3; i++) {
      task.set('a', i);
      task.coordinator.trigger();
    }
    expect(task.outcomes).toEqual(['abandoned 1', 'abandoned 2', 'committed 3']);
  });

  it('changes nothing when an answer to it comes late', async () => {
    const task = new Coordinated({ tolerableFailures: 1, timeout: '1s' });
    const late = Promise.withResolvers<void>();
    task.set('a', 1);
    task.store.plan('putSegment', late.promise);
    task.coordinator.trigger();
    await settled();
    task.scheduler.advance(1_000);
    await settled();
    expect(task.events.at(-1)).toMatchObject({ outcome: 'abandoned', id: 1 });
    expect(task.events.at(-1)?.reason).toContain('after 1000 ms (checkpoint.timeout)');
    task.set('b', 2);
    task.coordinator.trigger();
    await settled();
    late.resolve();
    await settled();
    expect(task.outcomes).toEqual(['abandoned 1', 'committed 2']);
    expect(task.restored()).toEqual(task.live);
  });

  it('fails the task after more in a row than are tolerable, and says why', () => {
    const task = new Coordinated({ tolerableFailures: 2 });
    task.store.plan('prepare', 'refuses', 'refuses', undefined, 'refuses', 'refuses', 'refuses');
    for (let i = 0; i < 5; i++) {
      task.set('a', i);
      task.coordinator.trigger();
    }
    expect(task.outcomes).toEqual(['abandoned 1', 'abandoned 2', 'committed 3', 'abandoned 4', 'abandoned 5']);
    expect(task.failures).toEqual([]);
    task.coordinator.trigger();
    expect(task.failures).toEqual([expect.any(CheckpointError)]);
    expect(String(task.failures[0])).toContain(
      'Checkpoint 6 failed, 3 in a row (tolerableFailures is 2): prepare is refused for now',
    );
  });

  it.each([
    ['putSegment', 'fences', FencedError],
    ['prepare', 'fences', FencedError],
    ['confirm', 'fences', FencedError],
    ['putSegment', 'forbids', StoreRefusedError],
    ['prepare', 'forbids', StoreRefusedError],
    ['confirm', 'forbids', StoreRefusedError],
  ] as const)('is not tolerated where trying again cannot help: %s %s', (step, fault, kind) => {
    const task = new Coordinated({ tolerableFailures: 5 });
    task.set('a', 1);
    task.store.plan(step, fault);
    task.coordinator.trigger();
    expect(task.failures).toEqual([expect.any(kind)]);
    expect(task.outcomes).toEqual([]);
  });

  it('is not tolerated for state that cannot be stored', () => {
    const task = new Coordinated({ tolerableFailures: 5 });
    task.set('a', () => {});
    task.coordinator.trigger();
    expect(task.failures).toEqual([expect.any(UnsupportedStateError)]);
  });

  it('hides no second failure: two sinks of which one fails at once and one later end one checkpoint', async () => {
    const task = new Coordinated({ tolerableFailures: 1 });
    task.set('a', 1);
    task.store.plan('putSegment', Promise.reject(new Error('no segment')));
    task.flushes.push(failsOnce);
    const unhandled: unknown[] = [];
    const seen = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', seen);
    try {
      task.coordinator.trigger();
      await settled();
      await settled();
    } finally {
      process.off('unhandledRejection', seen);
    }
    expect(task.outcomes).toEqual(['abandoned 1']);
    expect(unhandled).toEqual([]);
  });
});

describe('a commit', () => {
  it('is asked again after a lost answer, and counts once', async () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.store.plan('confirm', 'loses the answer', 'refuses');
    task.coordinator.trigger();
    for (let i = 0; i < 2; i++) {
      await settled();
      task.scheduler.advance(2_000);
    }
    await settled();
    expect(task.outcomes).toEqual(['committed 1']);
    expect(task.store.asked.filter(step => step === 'confirm')).toHaveLength(3);
    expect(task.sunk).toEqual(['barrier 1', 'flush 1', 'commit 1 of handle 1']);
    task.set('b', 2);
    task.coordinator.trigger();
    expect(task.committed?.actors.actor?.segments.map(({ kind }) => kind)).toEqual(['full', 'delta']);
    expect(task.restored()).toEqual(task.live);
  });

  it('is not abandoned by the timeout, nor by a failure: the task restarts and asks the commit point', async () => {
    const task = new Coordinated({ tolerableFailures: 5, timeout: '1s', commitTimeout: '5s' });
    task.set('a', 1);
    task.store.plan('confirm', 'loses the answer', ...new Array<'refuses'>(100).fill('refuses'));
    task.coordinator.trigger();
    for (let i = 0; i < 10; i++) {
      await settled();
      task.scheduler.advance(1_000);
    }
    await settled();
    expect(task.outcomes).toEqual([]);
    expect(task.sunk).toEqual(['barrier 1', 'flush 1']);
    expect(task.failures).toEqual([expect.any(CheckpointError)]);
    expect(task.committed?.id).toBe(1);
  });

  it('is not waited for longer than commitTimeout when no answer comes at all', async () => {
    const task = new Coordinated({ tolerableFailures: 5, timeout: '1s', commitTimeout: '5s' });
    task.set('a', 1);
    task.store.plan('confirm', 'never answers');
    task.coordinator.trigger();
    task.scheduler.advance(4_999);
    await settled();
    expect(task.failures).toEqual([]);
    task.scheduler.advance(1);
    expect(task.failures.map(String)).toEqual([
      'CheckpointError: It is not known whether checkpoint 1 counts: the commit point did not answer within 5000 ms ' +
        '(checkpoint.commitTimeout)',
    ]);
    expect(task.sunk).toEqual(['barrier 1', 'flush 1']);
  });

  it('tries again what a sink could not make visible, and then fails the task; it abandons nothing', async () => {
    const task = new Coordinated({ tolerableFailures: 5 });
    task.set('a', 1);
    task.commits.push(failsOnce, failsOnce);
    task.coordinator.trigger();
    for (let i = 0; i < 3; i++) {
      await settled();
      task.scheduler.advance(1_000);
    }
    await settled();
    expect(task.outcomes).toEqual(['committed 1']);
    expect(task.sunk.filter(step => step.startsWith('commit'))).toHaveLength(3);

    task.set('a', 2);
    for (let i = 0; i < 100; i++) task.commits.push(failsOnce);
    task.coordinator.trigger();
    for (let i = 0; i < 20; i++) {
      await settled();
      task.scheduler.advance(2_000);
    }
    await settled();
    expect(task.outcomes).toEqual(['committed 1']);
    expect(task.failures).toEqual([expect.any(CheckpointError)]);
    expect(task.sunk.some(step => step.startsWith('abandon'))).toBe(false);
  });
});

describe('the clock', () => {
  it('starts one each interval, with the pause in between', () => {
    const task = new Coordinated({ interval: '10s', minPause: '4s' });
    const starts: number[] = [];
    for (let second = 0; second < 35; second++) {
      const before = task.events.length;
      task.set('a', second);
      task.scheduler.advance(1_000);
      if (task.events.length > before) starts.push(task.scheduler.now());
    }
    expect(starts).toEqual([10_000, 20_000, 30_000]);
  });

  it('waits for the pause after one that took long', async () => {
    const task = new Coordinated({ interval: '10s', minPause: '4s' });
    const slow = Promise.withResolvers<void>();
    task.store.plan('prepare', slow.promise);
    task.set('a', 1);
    task.scheduler.advance(10_000);
    await settled();
    task.scheduler.advance(15_000);
    slow.resolve();
    await settled();
    expect(task.outcomes).toEqual(['committed 1']);
    task.set('a', 2);
    task.scheduler.advance(3_999);
    expect(task.outcomes).toHaveLength(1);
    task.scheduler.advance(1);
    expect(task.outcomes).toEqual(['committed 1', 'committed 2']);
  });

  it('skips one when nothing came in, but for the one that is due', () => {
    const task = new Coordinated({ interval: '10s', atLeastEvery: '35s' });
    task.set('a', 1);
    for (let i = 0; i < 6; i++) task.scheduler.advance(10_000);
    expect(task.outcomes).toEqual(['committed 1', 'skipped 1', 'skipped 1', 'committed 2', 'skipped 2', 'skipped 2']);
    task.set('a', 2);
    task.scheduler.advance(10_000);
    expect(task.outcomes.at(-1)).toBe('committed 3');
  });

  it('goes on after an abandoned one', () => {
    const task = new Coordinated({ interval: '10s', tolerableFailures: 1 });
    task.store.plan('prepare', 'refuses');
    task.set('a', 1);
    task.scheduler.advance(10_000);
    task.scheduler.advance(10_000);
    expect(task.outcomes).toEqual(['abandoned 1', 'committed 2']);
  });
});

describe('retention', () => {
  const kept = (task: Coordinated): number[] =>
    (task.store.manifests() as readonly StoredManifest[]).map(({ manifest }) => manifest.id);

  function commit(task: Coordinated, times: number): void {
    for (let i = 0; i < times; i++) {
      task.set('a', task.position);
      task.coordinator.trigger();
    }
  }

  it('keeps as many as it is told', () => {
    const task = new Coordinated({ retained: 2 });
    commit(task, 5);
    expect(kept(task)).toEqual([4, 5]);
  });

  it('removes later what could not be removed at once', () => {
    const task = new Coordinated({ retained: 2 });
    commit(task, 2);
    task.store.plan('collect', 'refuses', 'loses the answer');
    commit(task, 2);
    expect(task.warnings).toHaveLength(2);
    commit(task, 1);
    expect(kept(task)).toEqual([4, 5]);
  });

  it('holds nothing up while it removes', async () => {
    const task = new Coordinated({ retained: 1 });
    task.store.plan('collect', 'never answers');
    commit(task, 2);
    await settled();
    commit(task, 1);
    expect(task.outcomes).toEqual(['committed 1', 'committed 2', 'committed 3']);
  });

  it('fails the task that has been taken over', () => {
    const task = new Coordinated({ retained: 1 });
    task.store.plan('collect', 'fences');
    commit(task, 2);
    expect(task.failures).toEqual([expect.any(FencedError)]);
  });
});

describe('the last checkpoint', () => {
  it('is marked as closed, or as the end of the job', () => {
    const task = new Coordinated();
    task.set('a', 1);
    expect(task.takeFinal().isDone).toBe(true);
    expect(task.committed).toMatchObject({ id: 1, closed: true, jobFinished: false });
    expect(task.takeFinal({ jobFinished: true, closed: true }).isDone).toBe(true);
    expect(task.committed).toMatchObject({ id: 2, closed: true, jobFinished: true });
  });

  it('is left out when nothing came in since one that closed', () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.takeFinal();
    expect(task.takeFinal().isDone).toBe(true);
    expect(task.outcomes).toEqual(['committed 1']);
    task.set('a', 2);
    task.takeFinal();
    expect(task.outcomes).toEqual(['committed 1', 'committed 2']);
  });

  it('waits for the one that is under way', async () => {
    const task = new Coordinated();
    const slow = Promise.withResolvers<void>();
    task.store.plan('confirm', slow.promise);
    task.set('a', 1);
    task.coordinator.trigger();
    await settled();
    task.set('b', 2);
    const final = task.takeFinal();
    await settled();
    expect(final.isDone).toBe(false);
    slow.resolve();
    await settled();
    expect(final.isDone).toBe(true);
    expect(task.outcomes).toEqual(['committed 1', 'committed 2']);
    expect(task.committed).toMatchObject({ closed: true });
    expect(task.restored()).toEqual(task.live);
  });

  it('is repeated at once when it is abandoned, as often as is tolerable', () => {
    const task = new Coordinated({ tolerableFailures: 2 });
    task.set('a', 1);
    task.store.plan('prepare', 'refuses', 'refuses');
    expect(task.takeFinal().isDone).toBe(true);
    expect(task.outcomes).toEqual(['abandoned 1', 'abandoned 2', 'committed 3']);

    task.set('a', 2);
    task.store.plan('prepare', 'refuses', 'refuses', 'refuses');
    expect(task.takeFinal().isDone).toBe(false);
    expect(task.failures).toEqual([expect.any(CheckpointError)]);
  });

  it.each(['before', 'after'])('is taken although another was asked for %s it by the same record', async order => {
    const task = new Coordinated();
    const slow = Promise.withResolvers<void>();
    task.store.plan('prepare', slow.promise);
    let final = { isDone: false };
    // As when a record's handler asks the job for both.
    task.record(({ state }) => {
      state.values.set('a', 1);
      if (order === 'before') task.coordinator.trigger();
      task.gate.between(() => {
        final = task.takeFinal();
      });
      if (order === 'after') task.coordinator.trigger();
    });
    slow.resolve();
    await settled();
    expect(final.isDone).toBe(true);
    expect(task.committed).toMatchObject({ closed: true });
  });
});

describe('a coordinator that is closed', () => {
  it.each(['putSegment', 'prepare', 'confirm'] satisfies StoreStep[])(
    'does nothing more, whatever was under way: %s',
    async step => {
      const task = new Coordinated({ interval: '10s' });
      const slow = Promise.withResolvers<void>();
      task.store.plan(step, slow.promise);
      task.set('a', 1);
      task.coordinator.trigger();
      const final = task.takeFinal();
      await settled();
      task.coordinator.close();
      const asked = task.store.asked.length;
      slow.resolve();
      await settled();
      task.coordinator.trigger();
      task.scheduler.advance(100_000);
      await settled();
      expect(task.store.asked.slice(asked)).toEqual([]);
      expect(task.sunk.some(step => step.startsWith('commit'))).toBe(false);
      expect(task.outcomes).toEqual([]);
      expect(final.isDone).toBe(false);
      expect(task.scheduler.pending).toBe(0);
    },
  );

  it('asks no commit again', async () => {
    const task = new Coordinated();
    task.set('a', 1);
    task.store.plan('confirm', 'refuses');
    task.coordinator.trigger();
    await settled();
    expect(task.scheduler.pending).toBeGreaterThan(0);
    task.coordinator.close();
    expect(task.scheduler.pending).toBe(0);
    expect(task.outcomes).toEqual([]);
  });
});
