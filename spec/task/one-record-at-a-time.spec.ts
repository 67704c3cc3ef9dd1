import { tap, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, type } from '../../lib/index.ts';
import { Discard, PassStage } from '../../lib/stream/stage.ts';
import { Gate } from '../../lib/task/gate.ts';
import { marbles } from '../../lib/testing/index.ts';

/** Gives two outputs for each record, and counts records. */
const twice = actor('twice', {
  emits: type<string>(),
  update: 'return',
  initial: () => 0,
  receive(count: number, value: string, ctx) {
    ctx.emit(`${value}1`);
    ctx.emit(`${value}2`);
    return count + 1;
  },
});

const values = { p: 'a1', q: 'a2', r: 'b1', s: 'b2' };

describe('a barrier that is asked for between two outputs of one record', () => {
  it('comes behind both', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a----b---|';
      const elements = ' -(pqB)(rs)|';
      const committed = '-(pq)-----(rs)';
      const asks = tap((value: string) => value === 'a1' && run.handle?.checkpoint());
      const run = job(input, stream => stream.pipe(twice, asks));
      expectElements(run).toBe(elements, values);
      expectCommitted(run).toBe(committed, values);
    });
  });

  it('loses neither when the task dies right behind it', () => {
    marbles(({ job, expectCommitted }) => {
      const input = '    -a---X---b---|';
      const committed = '-(pq)--------(rs)';
      const asks = tap((value: string) => value === 'a1' && run.handle?.checkpoint());
      const run = job(input, stream => stream.pipe(twice, asks));
      expectCommitted(run).toBe(committed, values);
    });
  });

  it('comes behind the record on every branch', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const input = '    -a---X---b---|';
      const elements = ' -(aB)----b---|';
      const committed = '-a-----------b';
      const asks = tap((value: string) => value === 'a' && run.handle?.checkpoint());
      const run = job(input, stream => ({ asking: stream.pipe(asks), other: stream }));
      expectElements(run, 'asking').toBe(elements);
      expectElements(run, 'other').toBe(elements);
      expectCommitted(run, 'asking').toBe(committed);
      expectCommitted(run, 'other').toBe(committed);
    });
  });
});

describe('a record that comes while another is handled', () => {
  it('waits until all outputs of that one have passed', () => {
    const seen: string[] = [];
    const gate = new Gate(new VirtualTimeScheduler(), error => seen.push(`failed: ${error}`));
    class Reentering extends PassStage<string, string> {
      next(value: string): void {
        this.out.next(`${value}1`);
        if (value === 'a') gate.next(this, 'b', Number.NaN);
        this.out.next(`${value}2`);
      }
    }
    const end = new (class extends Discard {
      override next(value?: string): void {
        seen.push(`${value}`);
      }
    })(gate);
    gate.next(new Reentering(gate, end), 'a', Number.NaN);
    expect(seen).toEqual(['a1', 'a2', 'b1', 'b2']);
  });
});
