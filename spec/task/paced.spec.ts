import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, memoryStore } from '../../connectors/memory/index.ts';
import { from, job, paced, type SourceContext, start, wrapSource } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

describe('paced', () => {
  it('gives so many records a second, and leaves positions, end and progress to the source', () => {
    const scheduler = new TestScheduler(() => {});
    scheduler.run(() => {
      const sink = memorySink<number>();
      const source = paced(memorySource([1, 2, 3, 4], { name: 'numbers' }), 10);
      const handle = start(
        job('slow', () => from(source).pipe(to(sink))),
        { store: memoryStore(), logger: quiet, scheduler, checkpoint: { interval: 'off' } },
      );
      scheduler.schedule(() => expect(sink.written).toEqual([1, 2, 3]), 250);
      scheduler.schedule(() => {
        expect(sink.committed).toEqual([1, 2, 3, 4]);
        expect(handle.status).toMatchObject({ phase: 'finished', sources: [{ name: 'numbers', isFinished: true }] });
      }, 450);
      scheduler.flush();
    });
    expect.assertions(3);
  });

  it('reads the share of its task alone', () => {
    const slices: unknown[] = [];
    const sliced = wrapSource(memorySource([1], { name: 'numbers' }), {
      open(_, { slice }) {
        slices.push(slice);
        throw new Error('seen');
      },
    });
    const slice = { index: 1, count: 3, mayGrow: false };
    expect(() => paced(sliced, 1).open(undefined, { slice } as SourceContext<number>)).toThrow('seen');
    expect(slices).toEqual([slice]);
  });

  it('refuses a pace that is none', () => {
    expect(() => paced(memorySource([]), 0)).toThrow(/positive number/);
  });
});
