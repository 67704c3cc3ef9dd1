import { asyncScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, memoryStore } from '../../connectors/memory/index.ts';
import { from, job, paced, type Source, type SourceContext, start } from '../../lib/index.ts';
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

  it('slows down the share of a source that one of several tasks reads', () => {
    let slice: unknown;
    const source: Source<number> = {
      kind: 'sliced',
      name: 'numbers',
      bounded: true,
      open(_, context) {
        slice = context.slice;
        return { start() {}, position: () => 0, pause() {}, resume() {}, close() {} };
      },
    };
    const wanted = { index: 1, count: 4, mayGrow: false };
    const context: Partial<SourceContext<number>> = { slice: wanted, scheduler: asyncScheduler };
    void paced(source, 10).open(undefined, context as SourceContext<number>);
    expect(slice).toEqual(wanted);
  });

  it('refuses a pace that is none', () => {
    expect(() => paced(memorySource([]), 0)).toThrow(/positive number/);
  });
});
