import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { memorySink, memorySource, memoryStore } from '../../connectors/memory/index.ts';
import { from, job, paced, type SourceContext, start } from '../../lib/index.ts';
import { to } from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';

const contextFields = Object.keys({
  ...{ job: 0, task: 0, logger: 0, scheduler: 0, shared: 0, slice: 0, takesCheckpoints: 0, hasPublished: 0 },
  ...{ batch: 0, next: 0, partition: 0, watermark: 0, checkpoint: 0, complete: 0, error: 0, failed: 0 },
} satisfies Record<keyof SourceContext<unknown>, 0>);

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

  it('gives the source the whole context of its task, and so its share of the partitions', () => {
    const seen: object[] = [];
    const inner = {
      ...memorySource([1], { name: 'numbers' }),
      open: (_: unknown, context: object) => void seen.push(context),
    };
    const all = Object.fromEntries(
      contextFields.map(field => [field, field === 'slice' ? { index: 1, count: 4 } : field]),
    );
    paced(inner as never, 10).open(undefined, all as never);
    expect(Object.keys(seen[0] ?? {}).sort()).toEqual([...contextFields].sort());
    expect(seen[0]).toMatchObject({ slice: { index: 1, count: 4 } });
  });

  it('refuses a pace that is none', () => {
    expect(() => paced(memorySource([]), 0)).toThrow(/positive number/);
  });
});
