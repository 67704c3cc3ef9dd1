import { map, reduce as nativeReduce, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { crash, type MemoryItem, takeCheckpoint } from '../../connectors/memory/index.ts';
import { actor, type DataStream, type KeyOrNone, StreamRecord, side as sideTag, type } from '../../lib/index.ts';
import {
  aggregates,
  delay,
  intervalJoin,
  mapAsync,
  sessionWindow,
  tumblingWindow,
  union,
} from '../../operators/index.ts';
import { onMemory } from '../operators/windows/on-memory.ts';

const record = (value: string, time: number) => new StreamRecord(value, time, undefined);
const items = [record('a', 1), record('b', 2), record('c', 12), record('d', 13)];

const counted = (stream: DataStream<unknown, KeyOrNone>, late = sideTag<unknown>('late')) => {
  const windows = stream.pipe(tumblingWindow('windows', 10, aggregates.count(), { late }));
  return union(
    windows.pipe(map(({ start, value }) => `${start}: ${value}`)),
    windows.side(late).pipe(map(() => 'late')),
  );
};

/** Emits its records when the input ends, each at its own time. */
const atTheEnd = actor('at the end', {
  emits: type<string>(),
  initial: (): [string, number][] => [],
  receive(held, value: string, ctx) {
    held.push([value, ctx.timestamp]);
  },
  onComplete(held, ctx) {
    for (const [value, time] of held) ctx.emit(value, time);
  },
});

describe('what ends before its source', () => {
  // Cause: a native take() completes without an end of time, and windows give their results by the watermark alone.
  it('gives the results of windows and timers that are open', async () => {
    expect(await onMemory<string, string>(items, stream => counted(stream.pipe(take(3))))).toEqual(['0: 2', '10: 1']);
    expect(
      await onMemory<string, string>(items, stream => stream.pipe(take(3), delay('d', 5, { time: 'event' }))),
    ).toEqual(['a', 'b', 'c']);
  });

  it('gives them once, also behind a crash', async () => {
    const steps: MemoryItem<string>[] = [...items.slice(0, 3), takeCheckpoint, record('d', 13), crash, record('e', 14)];
    const result = await onMemory<string, string>(steps, stream =>
      union(counted(stream.pipe(take(3))), stream.pipe(map(value => value))),
    );
    expect(result.toSorted()).toEqual(['0: 2', '10: 1', 'a', 'b', 'c', 'd', 'e']);
  });
});

describe('what an actor emits when its input ends', () => {
  // Cause: the actor had passed the end of time on before, so that all of it was late.
  it('is in time for windows behind it', async () => {
    expect(await onMemory<string, string>(items, stream => counted(stream.pipe(atTheEnd)))).toEqual(['0: 2', '10: 2']);
  });

  it('is in time for a join, and for windows behind requests and several inputs', async () => {
    const joined = await onMemory<string, string>(items, stream => {
      const end = stream.pipe(atTheEnd);
      return intervalJoin('join', end, stream, { lower: 0, upper: 0, result: (left, right) => `${left}${right}` });
    });
    expect(joined).toEqual(['aa', 'bb', 'cc', 'dd']);
    const counts = await onMemory<string, string>(items, stream => {
      const answered = stream.pipe(
        atTheEnd,
        mapAsync('call', async value => value),
      );
      return counted(union(answered, stream));
    });
    expect(counts).toEqual(['0: 4', '10: 4']);
  });

  it('is in time behind a crash', async () => {
    const steps: MemoryItem<string>[] = [...items.slice(0, 2), takeCheckpoint, ...items.slice(2), crash];
    expect(await onMemory<string, string>(steps, stream => counted(stream.pipe(atTheEnd)))).toEqual(['0: 2', '10: 2']);
  });
});

describe('a record with the end of time', () => {
  // Cause: no window holds it, which for windows of a fixed size was the same as lying between two.
  it('is late for windows, rather than lost', async () => {
    const last = nativeReduce((_: string, value: string) => value);
    expect(await onMemory<string, string>(items, stream => counted(stream.pipe(last)))).toEqual(['late']);
    const late = sideTag<string>('late');
    const seen = await onMemory<string, string>(items, stream => {
      const sessions = stream.pipe(
        actor('last', {
          emits: type<string>(),
          update: 'return',
          initial: () => '',
          receive: (_, value: string) => value,
          onComplete: (value, ctx) => ctx.emit(value),
        }),
        sessionWindow('sessions', 5, aggregates.count<string>(), { late }),
      );
      return union(sessions.pipe(map(() => 'session')), sessions.side(late));
    });
    expect(seen).toEqual(['d']);
  });
});
