import { map, type OperatorFunction, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { job as declareJob, from, memoryStore, start, UserCodeError } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { keyBy, scan, to, union } from '../../operators/index.ts';
import { settled } from '../checkpoint/coordinated.ts';
import { FailingStore, storeOf } from '../checkpoint/failing-store.ts';
import { quiet } from '../job/quiet.ts';
import { type AnyStream, DrivenJob, type Shown } from './driven-job.ts';

/** Everything that can throw at a record, each in a branch of its own; they throw at 2. */
const throwing: Readonly<Record<string, (stream: AnyStream) => AnyStream>> = {
  'a native operator': stream => stream.pipe(map(atTwo)),
  'a native operator before others': stream =>
    stream.pipe(
      map(atTwo),
      scan('a', (n: number) => n, 0),
      map(keep),
    ),
  'an actor': stream => stream.pipe(scan('b', (_n: number, value: number) => atTwo(value), 0)),
  'a key selector': stream => stream.pipe(keyBy(atTwo)),
  'a union behind one': stream => union(stream.pipe(map(atTwo)), stream),
  'a sink': stream =>
    stream.pipe(
      to({
        kind: 'throwing',
        name: 'throwing',
        guarantee: 'none',
        open: () => ({
          restore() {},
          write: atTwo,
          barrier() {},
          flush: () => null,
          commit() {},
          abandon() {},
          close() {},
        }),
      }) as OperatorFunction<unknown, unknown>,
    ) as AnyStream,
};

function atTwo(value: unknown): never {
  if (value === 2) throw new Error('boom');
  return value as never;
}

function keep<T>(value: T): T {
  return value;
}

describe('the first error', () => {
  for (const [name, branch] of Object.entries(throwing)) {
    it(`of ${name} stops another branch before the barrier: nothing is committed`, () => {
      const job: DrivenJob = new DrivenJob(({ input }) => ({
        // Handled first, and asks for a checkpoint: the barrier would follow at once.
        before: input.pipe(
          tap(value => {
            if (value === 2) job.checkpoint();
          }),
        ),
        failing: branch(input),
        after: input.pipe(scan('count', (n: number) => n + 1, 0)),
      }));
      job.push(1);
      job.checkpoint();
      job.push(2);
      job.push(3);
      job.checkpoint();
      expect(job.error).toBeInstanceOf(UserCodeError);
      expect(job.error?.message).toContain('boom');
      expect(job.elements('before').map(shown)).toEqual([1, 'B1', 2]);
      expect(job.elements('after').map(shown)).toEqual([1, 'B1']);
      expect(job.committed.before).toEqual([1]);
      expect(job.committed.after).toEqual([1]);
    });
  }

  it('is the one that is told when several branches throw at the same record', () => {
    const fail = (what: string) =>
      map(() => {
        throw new Error(what);
      });
    const job = new DrivenJob(({ input }) => ({ a: input.pipe(fail('first')), b: input.pipe(fail('second')) }));
    job.push(1);
    expect(job.error?.cause).toEqual(new Error('first'));
  });

  it('abandons the checkpoint that is being written', async () => {
    const store = new FailingStore(memoryStore().task({ job: 'latched', task: 'main' }));
    const held = Promise.withResolvers<void>();
    store.plan('prepare', held.promise);
    const source = new MarbleSource('input');
    const declared = declareJob('latched', () =>
      from(source).pipe(
        map(atTwo),
        scan('count', (n: number) => n + 1, 0),
      ),
    );
    const handle = start(declared, {
      store: storeOf(store),
      logger: quiet,
      restart: { strategy: 'none' },
      checkpoint: { interval: 'off' },
    });
    await settled();
    source.push({ kind: 'value', value: 1 });
    handle.checkpoint();
    await settled();
    expect(store.asked.at(-1)).toBe('prepare');
    source.push({ kind: 'value', value: 2 });
    held.resolve();
    await expect(handle.done).rejects.toThrow('boom');
    await settled();
    expect(store.asked).not.toContain('confirm');
  });
});

function shown(element: Shown): unknown {
  return typeof element === 'object' ? element.value : element;
}
