import { VirtualTimeScheduler } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../lib/checkpoint/manifest.ts';
import type { EventTime } from '../../lib/event-time/strategy.ts';
import type { Shared } from '../../lib/task/shared-services.ts';
import type { SourceMeasures } from '../../lib/task/source.ts';
import { SourceClock, type SourceClockHost } from '../../lib/task/source-clock.ts';
import { watermarks } from '../../operators/index.ts';

let scheduler: VirtualTimeScheduler;
let shared: Map<string, unknown>;
beforeEach(() => {
  scheduler = new VirtualTimeScheduler(undefined, 10_000);
  shared = new Map();
});

/** A source that is played by hand. */
class Host implements SourceClockHost {
  readonly name: string;
  readonly scheduler = scheduler;
  readonly clock: SourceClock;
  readonly held: string[] = [];
  readonly canHoldPartitions: boolean;
  isHalted = false;
  lags: Record<string, number | undefined> | undefined;
  readonly told: [watermark: number, isIdle: boolean][] = [];
  readonly shared: Shared = (key, make) => {
    if (!shared.has(key)) shared.set(key, make());
    return shared.get(key) as never;
  };

  constructor(name: string, eventTime: Partial<EventTime<number>>, canHoldPartitions = false, restored?: Json) {
    this.name = name;
    this.canHoldPartitions = canHoldPartitions;
    this.clock = new SourceClock(
      {
        timestamp: undefined,
        strategy: watermarks.monotonous(),
        idleAfterMs: undefined,
        alignment: undefined,
        ...eventTime,
      } as EventTime<unknown>,
      this,
      restored,
      Number.NEGATIVE_INFINITY,
    );
    this.clock.start();
  }

  measures(): SourceMeasures | undefined {
    if (!this.lags) return undefined;
    const partitions = Object.entries(this.lags).map(([name, lag]) => ({
      name,
      position: 0,
      records: 0,
      ...(lag === undefined ? {} : { lag }),
    }));
    return { partitions, skipped: {} };
  }

  clockMoved(): void {
    const { watermark, isIdle } = this.clock;
    const last = this.told.at(-1);
    if (last?.[0] !== watermark || last[1] !== isIdle) this.told.push([watermark, isIdle]);
  }

  hold(isHeld: boolean): void {
    this.held.push(`${isHeld ? 'hold' : 'go'} all`);
  }

  holdPartition(partition: string, isHeld: boolean): boolean {
    if (this.canHoldPartitions) this.held.push(`${isHeld ? 'hold' : 'go'} ${partition}`);
    return this.canHoldPartitions;
  }

  gives(partition: string, ...times: number[]): void {
    this.clock.handled(times, times, [{ partition, end: times.length }]);
  }

  at(frame: number, work: () => void): void {
    scheduler.schedule(work, frame);
  }
}

/** Plays what was scheduled up to this moment. */
function until(frame: number): void {
  scheduler.maxFrames = frame;
  scheduler.flush();
}

describe('idleness', () => {
  it('leaves a partition out that had no record for so long and is at its end, until its next record', () => {
    const source = new Host('s', { idleAfterMs: 100 });
    source.lags = { a: 0, b: 0 };
    for (const name of ['a', 'b']) source.clock.partition(name, 'reading');
    for (let frame = 50; frame <= 400; frame += 50) source.at(frame, () => source.gives('a', 1_000 + frame));
    until(99);
    expect(source.clock.watermark).toBe(Number.NEGATIVE_INFINITY);
    expect(source.clock.status()).toMatchObject({ heldBackBy: 'b', idle: [] });
    until(160);
    expect(source.clock.watermark).toBe(1_149);
    expect(source.clock.status()).toMatchObject({ heldBackBy: 'a', idle: ['b'] });
    source.gives('b', 1_010);
    expect(source.clock.status()).toMatchObject({ heldBackBy: 'b', idle: [] });
    until(210);
    expect(source.clock.watermark).toBe(1_149);
    source.clock.close();
  });

  it.each([
    ['has records waiting', 7],
    ['does not know its end', undefined],
  ])('never leaves out a partition that %s', (_what, lag) => {
    const source = new Host('s', { idleAfterMs: 100 });
    source.lags = { a: 0, b: lag };
    for (const name of ['a', 'b']) source.clock.partition(name, 'reading');
    source.at(10, () => source.gives('a', 5));
    until(1_000);
    expect(source.clock.status()).toMatchObject({ heldBackBy: 'b', idle: ['a'] });
    // It is looked at again.
    source.lags = { a: 0, b: 0 };
    until(1_200);
    expect(source.clock.status().idle).toEqual(['a', 'b']);
    expect(source.told.at(-1)).toEqual([4, true]);
    source.clock.close();
  });

  it('does not count the time for which the source was not let in', () => {
    const source = new Host('s', { idleAfterMs: 100 });
    source.lags = { a: 0 };
    source.clock.partition('a', 'reading');
    source.isHalted = true;
    until(1_000);
    expect(source.clock.isIdle).toBe(false);
    source.isHalted = false;
    until(1_090);
    expect(source.clock.isIdle).toBe(false);
    until(1_300);
    expect(source.clock.isIdle).toBe(true);
    source.clock.close();
  });

  it('holds for a source without partitions, of which nothing waits', () => {
    const source = new Host('s', { idleAfterMs: 100 });
    source.clock.handled([5], [5]);
    until(250);
    expect(source.told).toEqual([
      [4, false],
      [4, true],
    ]);
    source.clock.handled([9], [9]);
    expect(source.told.at(-1)).toEqual([8, false]);
    source.clock.close();
  });

  it('begins for a source that has given nothing yet, and ends with its first record or partition', () => {
    const silent = new Host('s', { idleAfterMs: 100 });
    until(250);
    expect(silent.told).toEqual([[Number.NEGATIVE_INFINITY, true]]);
    silent.clock.handled([9], [9]);
    expect(silent.told.at(-1)).toEqual([8, false]);
    silent.clock.close();
    const parted = new Host('t', { idleAfterMs: 100 });
    until(500);
    expect(parted.clock.isIdle).toBe(true);
    parted.clock.partition('a', 'reading');
    expect(parted.clock.isIdle).toBe(false);
    parted.gives('a', 9);
    expect(parted.clock.watermark).toBe(8);
    parted.clock.close();
  });

  it('begins for a restored source without partitions that gives nothing more', () => {
    const source = new Host('s', { idleAfterMs: 100 }, false, { by: 'bound', partitions: { '': 5 } });
    until(250);
    expect(source.clock.isIdle).toBe(true);
    source.clock.close();
  });

  it('leaves nothing behind when the source is closed', () => {
    const source = new Host('s', { idleAfterMs: 100 });
    source.clock.handled([5], [5]);
    source.clock.close();
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    scheduler.flush();
    expect(source.told).toEqual([[4, false]]);
  });
});

describe('partitions that come to their end', () => {
  it('hold nothing back any more, nor when they are gone', () => {
    const source = new Host('s', {});
    for (const name of ['a', 'b', 'c']) source.clock.partition(name, 'reading');
    source.gives('a', 100);
    source.gives('b', 50);
    source.clock.partition('c', 'gone');
    expect(source.clock.watermark).toBe(49);
    source.clock.partition('b', 'ended');
    expect(source.clock.watermark).toBe(99);
  });
});

describe('alignment', () => {
  const alignment = { group: 'g', maxDriftMs: 10 };

  it('lets a source wait that is too far ahead of another one', () => {
    const slow = new Host('slow', { alignment });
    const fast = new Host('fast', { alignment });
    fast.clock.handled([500], [500]);
    expect(fast.held).toEqual([]); // nothing is known of the other one yet
    slow.clock.handled([100], [100]);
    expect(fast.held).toEqual(['hold all']);
    expect(fast.clock.status().ahead).toEqual(['fast']);
    slow.clock.handled([489], [489]);
    expect(fast.held).toEqual(['hold all']);
    slow.clock.handled([490], [490]);
    expect(fast.held).toEqual(['hold all', 'go all']);
    expect(slow.held).toEqual([]);
    expect(fast.clock.status().ahead).toEqual([]);
  });

  it('lets single partitions wait where the source can do that', () => {
    const source = new Host('s', { alignment }, true);
    for (const name of ['a', 'b']) source.clock.partition(name, 'reading');
    source.gives('a', 100);
    source.gives('b', 200);
    expect(source.held).toEqual(['hold b']);
    source.gives('a', 191);
    expect(source.held).toEqual(['hold b', 'go b']);
  });

  it('waits for nobody that is idle, has completed or is of another group', () => {
    const idle = new Host('idle', { alignment, idleAfterMs: 100 });
    const done = new Host('done', { alignment });
    const other = new Host('other', { alignment: { ...alignment, group: 'h' } });
    const fast = new Host('fast', { alignment });
    for (const host of [idle, done, other]) host.clock.handled([1], [1]);
    fast.clock.handled([500], [500]);
    expect(fast.held).toEqual(['hold all']);
    done.clock.end();
    expect(fast.held).toEqual(['hold all']);
    until(150);
    expect(idle.clock.isIdle).toBe(true);
    expect(fast.held).toEqual(['hold all', 'go all']);
    for (const host of [idle, fast]) host.clock.close();
  });
});
