import { firstValueFrom, lastValueFrom, map, type Observable, of, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, takeCheckpoint } from '../../connectors/memory/index.ts';
import { from, job, NotRunningError, type Source, StreamRecord, Watermark } from '../../lib/index.ts';
import { keyBy, scan, to, union } from '../../operators/index.ts';

const count = () => scan('count', (n: number) => n + 1, 0);
const all = <T>(stream: Observable<T>): Promise<T[]> => lastValueFrom(stream.pipe(toArray()));

describe('a stream outside a job', () => {
  it('just works on a plain Observable: a unit test of an operator', async () => {
    await expect(all(of('a', 'b', 'a').pipe(count()))).resolves.toEqual([1, 2, 3]);
  });

  it('reads an embedded source, and keeps state by key', async () => {
    const counted = from(memorySource(['a', 'b', takeCheckpoint, 'a'])).pipe(
      keyBy(value => value),
      count(),
      map(n => n * 10),
    );
    await expect(all(counted)).resolves.toEqual([10, 10, 20]);
    await expect(all(counted), 'each subscription is a run of its own').resolves.toEqual([10, 10, 20]);
  });

  it('shows records with time and key, and watermarks', async () => {
    const source = memorySource([new StreamRecord('a', 10), new Watermark(10)]);
    const elements = await all(from(source).pipe(keyBy(value => value)).elements$);
    expect(elements).toEqual([
      new StreamRecord('a', 10, 'a'),
      new Watermark(10),
      new Watermark(Number.POSITIVE_INFINITY),
    ]);
  });

  it('joins several inputs', async () => {
    await expect(all(union(from(memorySource([1, 2])), from(memorySource([3]))).pipe(count()))).resolves.toEqual([
      1, 2, 3,
    ]);
  });

  it('fails with what an operator threw, and reads no further', async () => {
    const seen: number[] = [];
    const failing = from(memorySource([1, 2, 3])).pipe(
      scan(
        'failing',
        (_: number, value: number) => {
          seen.push(value);
          if (value === 2) throw new Error('two');
          return value;
        },
        0,
        { update: 'return' },
      ),
    );
    await expect(all(failing)).rejects.toMatchObject({
      code: 'USER_CODE',
      message: expect.stringMatching(/"failing" threw.*two/),
    });
    expect(seen).toEqual([1, 2]);
  });

  it('leaves its source when it is unsubscribed', async () => {
    const input = new Subject<number>();
    const counts: number[] = [];
    const subscription = from(input)
      .pipe(count())
      .subscribe(n => counts.push(n));
    input.next(7);
    expect(input.observed).toBe(true);
    subscription.unsubscribe();
    expect(input.observed).toBe(false);
    expect(counts).toEqual([1]);
    await expect(firstValueFrom(from(memorySource([5, 6])))).resolves.toBe(5);
  });

  it('cannot read the source of a connector, nor write to a sink', async () => {
    const remote: Source<number> = { ...memorySource<number>([]), name: 'payments', embedded: false };
    await expect(all(from(remote))).rejects.toThrow(NotRunningError);
    await expect(all(from(remote))).rejects.toThrow(/source "payments" is read by a running job only/);
    await expect(all(from(memorySource([1])).pipe(to(memorySink())))).rejects.toThrow(
      /is written by a running job only/,
    );
  });

  it('is not one while a job is built: its function declares', () => {
    const eager = job('eager', () => {
      const input = from(memorySource([1]));
      input.subscribe();
      return input;
    });
    expect(() => eager.graph()).toThrow(/is subscribed while the job "eager" is being built/);
  });
});
