import { map, scan as nativeScan } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, deadLetters, memoryStore, side as tag, type } from '../../lib/index.ts';
import { type MarbleHelpers, type MarbleInput, type MarbleJob, marbles } from '../../lib/testing/index.ts';
import { keyBy, reduce, scan, union } from '../../operators/index.ts';

const count = (n: number) => n + 1;
const numbers = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 };
const counted = (stream: MarbleInput) => stream.pipe(scan('count', count, 0));

/** The message with which a marble test fails. */
function failureOf(test: (helpers: MarbleHelpers) => void): string {
  try {
    marbles(test);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the test did not fail');
}

describe('marbles', () => {
  it('shows what a crash takes from a native operator, and not from ours', () => {
    marbles(({ job, expectElements }) => {
      const input = ' -a-b-B-c-X-d-|';
      const ours = '  -1-2-B-3-3-4-|';
      const native = '-1-2-B-3-1-2-|';
      expectElements(job(input, stream => stream.pipe(scan('count', count, 0)))).toBe(ours, numbers);
      expectElements(job(input, stream => stream.pipe(nativeScan(count, 0)))).toBe(native, numbers);
    });
  });

  describe('input', () => {
    it('gives letters as they are, or what values has for them', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-b-|', stream => stream, { values: { a: { id: 1 } } })).toBe('-p-b-|', { p: { id: 1 } });
      });
    });

    it('gives records their time, and watermarks', () => {
      marbles(({ job, expectElements, record, watermark }) => {
        const values = { a: record('x', 20), W: watermark(10) };
        expectElements(job('-W-a-|', stream => stream, { values })).toBe('-W-p-|', {
          W: watermark(10),
          p: record('x', 20),
        });
      });
    });

    it('takes B, X and S for marks unless values has them', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const values = { B: 'b', X: 'x', S: 's' };
        const run = job('-B-X-S-|', stream => stream, { values });
        expectElements(run).toBe('-p-q-r-|', { p: 'b', q: 'x', r: 's' });
        expectCommitted(run).toBe('-------(pqr)', { p: 'b', q: 'x', r: 's' });
      });
    });

    it('takes X and S for letters where they are expected: only barriers come out', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-b-|', stream => stream, { values: { a: 'X', b: 'S' } })).toBe('-X-S-|');
      });
    });

    it('takes everything of a group at one time, in its order', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const input = '    -(abBc)-X----|';
        const expected = ' -(12B3)-3----|';
        const committed = '-(12)--------3';
        const run = job(input, counted);
        expectElements(run).toBe(expected, numbers);
        expectCommitted(run).toBe(committed, numbers);
      });
    });

    it('lets time pass as RxJS does, in milliseconds, seconds and minutes', () => {
      marbles(({ job, expectElements, scheduler }) => {
        const started = performance.now();
        const times: number[] = [];
        const timed = (stream: MarbleInput) => stream.pipe(map(() => times.push(scheduler.now())));
        expectElements(job('a 999ms b 59s c 59m |', timed)).toBe('1 999ms 2 59s 3 59m |', numbers);
        scheduler.schedule(() => expect(times).toEqual([0, 1_000, 60_001]), 3_700_000);
        expect(performance.now() - started).toBeLessThan(5_000);
      });
    });

    it('ends, or fails, where it says so', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a|', stream => stream)).toBe('-a|');
        expectElements(job('-a#', stream => stream)).toBe('-a#');
        const error = new Error('the input broke');
        expectElements(job('-a#', stream => stream, { error })).toBe(
          '-a#',
          {},
          /the source "input" failed: the input broke/i,
        );
      });
    });
  });

  describe('B', () => {
    it('takes a checkpoint: what came before it is visible, and what comes back after X', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const input = '    -a-B-b-X-B-c-X-|';
        const expected = ' -1-B-2-2-B-3-3-|';
        const committed = '---1-----2-----3';
        const run = job(input, counted);
        expectElements(run).toBe(expected, numbers);
        expectCommitted(run).toBe(committed, numbers);
      });
    });

    it('is nothing for a job that has ended', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-|-B-B', counted)).toBe('-1-|', numbers);
      });
    });
  });

  describe('X', () => {
    it('without a checkpoint before it begins from the start', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const run = job('-a-X-b-|', counted);
        expectElements(run).toBe('-1-1-2-|', numbers);
        expectCommitted(run).toBe('-------(12)', numbers);
      });
    });

    it('may come again and again, and at once', () => {
      marbles(({ job, expectElements }) => {
        const input = '   -a-B-(bXXc)-|';
        const expected = '-1-B-(2223)-|';
        expectElements(job(input, counted)).toBe(expected, numbers);
      });
    });

    it('brings back what had finished as finished', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const a = '         -a-|';
        const b = '         -----b-B-c-X-d-|';
        // It has ended before: it passes barriers, and says so again.
        const reduced = '  ---(1|)B---|';
        const counts = '   -----1-B-2-2-3-|';
        const committed = '-------1';
        const run = job({ a, b }, inputs => ({
          reduced: inputs.a.pipe(reduce('all', count, 0)),
          counts: inputs.b.pipe(scan('count', count, 0)),
        }));
        expectElements(run, 'reduced').toBe(reduced, numbers);
        expectElements(run, 'counts').toBe(counts, numbers);
        expectCommitted(run, 'reduced').toBe(committed, numbers);
      });
    });

    it('starts a job again that has finished, stopped or failed', () => {
      marbles(({ job, expectElements }) => {
        expectElements(job('-a-|-X-', counted)).toBe('-1-|', numbers);
        expectElements(job('-a-S-X-b-|', counted)).toBe('-1-B---2-|', numbers);
        expectElements(job('-a-B-#-X', counted)).toBe('-1-B-#-#', numbers);
      });
    });

    it('keeps the checkpoints, whatever onCancel says', () => {
      marbles(({ job, expectElements }) => {
        const settings = { checkpoint: { onCancel: 'delete' as const } };
        expectElements(job('-a-B-X-b-|', counted, { settings })).toBe('-1-B---2-|', numbers);
      });
    });
  });

  it('S stops the job as SIGTERM does: with a final checkpoint, and without the end', () => {
    marbles(({ job, expectElements, expectCommitted }) => {
      const run = job('-a-b-S-c-|', stream => stream.pipe(reduce('all', count, 0)));
      expectElements(run).toBe('-----B');
      expectCommitted(run).toBe('------');
      const other = job('-a-b-S-c-|', counted);
      expectCommitted(other).toBe('-----(12)', numbers);
    });
  });

  describe('streams', () => {
    it('may be several, by name', () => {
      marbles(({ job, expectElements, expectCommitted }) => {
        const run = job('-a-b-B-|', stream => ({ letters: stream, counts: counted(stream) }));
        expectElements(run, 'letters').toBe('-a-b-B-|');
        expectElements(run, 'counts').toBe('-1-2-B-|', numbers);
        expectCommitted(run, 'letters').toBe('-----(ab)');
        expectCommitted(run, 'counts').toBe('-----(12)', numbers);
      });
    });

    it('may be several, by position', () => {
      marbles(({ job, expectElements }) => {
        const run = job('-a-|', stream => [stream, counted(stream)]);
        expectElements(run).toBe('-a-|');
        expectElements(run, 0).toBe('-a-|');
        expectElements(run, 1).toBe('-1-|', numbers);
      });
    });

    it('may come from several inputs', () => {
      marbles(({ job, expectElements }) => {
        const run = job({ left: '-a---|', right: '---b-|' }, ({ left, right }) => union(left, right));
        expectElements(run).toBe('-a-b-|');
      });
    });

    it('may be side outputs, of which there is a committed view too', () => {
      const odd = tag<number>('odd');
      const sorting = actor<number, null, number>('sorting', {
        emits: type<number>(),
        sides: [odd],
        supervise: 'skip',
        initial: () => null,
        receive(_, value, ctx) {
          if (value === 4) throw new Error('four');
          if (value % 2) ctx.side(odd, value);
          else ctx.emit(value);
        },
      });
      marbles(({ job, expectElements, expectCommitted }) => {
        const input = '   -1-2-B-3-4-X-|';
        const run = job(
          input,
          stream => {
            const even = stream.pipe(sorting);
            return { even, odd: even.side(odd), dead: even.side(deadLetters).pipe(map(({ value }) => value)) };
          },
          { values: numbers },
        );
        expectElements(run, 'even').toBe('---2-B-------|', numbers);
        expectElements(run, 'odd').toBe(' -1---B-3---3-|', numbers);
        expectElements(run, 'dead').toBe('-----B---4-4-|', numbers);
        expectCommitted(run, 'odd').toBe('-----1-------3', numbers);
      });
    });
  });

  it('keeps a store for another job to go on from', () => {
    const store = memoryStore();
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-b-S', counted, { store })).toBe('-1-2-B', numbers);
    });
    marbles(({ job, expectElements }) => {
      // The same input: what the first job has read is passed over.
      expectElements(job('-a-b-c-|', counted, { store })).toBe('-----3-|', numbers);
    });
  });

  it('runs jobs beside one another', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-a-|', counted)).toBe('-1-2-|', numbers);
      expectElements(job('--a--X-b|', counted)).toBe('--1--1-2|', numbers);
    });
  });

  it('takes whole checkpoints by the clock in virtual time', () => {
    const started = performance.now();
    marbles(({ job, expectElements, expectCommitted }) => {
      // At 30 and 40 seconds there is nothing new.
      const input = '    a 14999ms b 25s X-|';
      const expected = ' 1 9999ms B 4999ms 2 4999ms B 20002ms |';
      const committed = '10000ms 1 9999ms 2';
      const run = job(input, counted, { settings: { checkpoint: { interval: '10s' } } });
      expectElements(run).toBe(expected, numbers);
      expectCommitted(run).toBe(committed, numbers);
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('cancels a job that has not ended by the end of the longest string: its clock would go on for ever', () => {
    let run: MarbleJob | undefined;
    const settings = { checkpoint: { interval: 10 } };
    marbles(({ job, expectElements }) => {
      run = job('-a---', counted, { settings });
      expectElements(run).toBe('-1--------B---------', numbers);
    });
    expect(run?.handle?.status.phase).toBe('cancelled');
    marbles(({ job, scheduler }) => {
      const other = job('-a', counted, { settings });
      scheduler.schedule(
        () => expect(other.handle?.status).toMatchObject({ phase: 'running', records: { in: 1 } }),
        99,
      );
    });
    expect.assertions(2);
  });

  it('waits for a restart that the strings have room for', () => {
    marbles(({ job, expectElements }) => {
      let failures = 1;
      const once = map((value: unknown) => {
        if (value === 'b' && failures-- > 0) throw new Error('once');
        return value;
      });
      const restart = { strategy: 'fixed-delay', attempts: 1, delay: '1s' } as const;
      const run = job('-a-b-c-|', stream => stream.pipe(once), { settings: { restart } });
      expectElements(run).toBe('-a 1001ms (abc|)');
    });
  });
});

describe('a marble test that fails', () => {
  it('shows what was expected and what came, each with its time', () => {
    const message = failureOf(({ job, expectElements }) => {
      expectElements(job('-a-b-B-c-|', counted)).toBe('-1-2-B-4-|', numbers);
    });
    expect(message).toMatchInlineSnapshot(`
      "Marbles differ.
      expected -1-2-B-4-|
            1  1
            3  2
            5  B
      >     7  4
            9  |
      but came
            1  1
            3  2
            5  B
      >     7  3
            9  |"
    `);
  });

  it('shows records with time and key where these are expected, watermarks and objects', () => {
    const message = failureOf(({ job, expectElements, record, watermark }) => {
      const values = { a: record({ id: 1 }, 20), W: watermark(10) };
      const run = job('-W-a-|', stream => stream.pipe(keyBy((value: { id: number }) => value.id)), { values });
      expectElements(run).toBe('-W-p-|', { W: watermark(11), p: record({ id: 1 }, 20, '1') });
    });
    expect(message).toMatchInlineSnapshot(`
      "Marbles differ.
      expected -W-p-|
      >     1  Watermark { timestamp: 11 }
      >     3  StreamRecord { value: { id: 1 }, timestamp: 20, key: '1' }
            5  |
      but came
      >     1  Watermark { timestamp: 10 }
      >     3  StreamRecord { value: { id: 1 }, timestamp: 20, key: 1 }
            5  |"
    `);
  });

  it('does not take a value for a mark that looks like it', () => {
    const values = { a: 'B', b: '|', c: '#' };
    expect(failureOf(({ job, expectElements }) => expectElements(job('-a', s => s, { values })).toBe('-B'))).toMatch(
      /'B'/,
    );
    expect(failureOf(({ job, expectElements }) => expectElements(job('-b', s => s, { values })).toBe('-|'))).toMatch(
      /'\|'/,
    );
    expect(failureOf(({ job, expectElements }) => expectElements(job('-c', s => s, { values })).toBe('-#'))).toMatch(
      /'#'/,
    );
  });

  it('shows that nothing came', () => {
    const message = failureOf(({ job, expectCommitted }) => {
      expectCommitted(job('-a-X', counted)).toBe('---1', numbers);
    });
    expect(message).toMatchInlineSnapshot(`
      "Marbles differ.
      expected ---1
      >     3  1
      but came
               (nothing)"
    `);
  });

  it('shows why the job failed', () => {
    const message = failureOf(({ job, expectElements }) => {
      const failing = scan(
        'failing',
        () => {
          throw new Error('not today');
        },
        0,
      );
      expectElements(job('-a-|', stream => stream.pipe(failing))).toBe('-1-|', numbers);
    });
    expect(message).toMatchInlineSnapshot(`
      "Marbles differ.
      expected -1-|
      >     1  1
      >     3  |
      but came
      >     1  # The actor "failing" threw in receive: not today"
    `);
  });

  it('shows the failure that was expected instead of another', () => {
    const message = failureOf(({ job, expectElements }) => {
      expectElements(job('-#', counted, { error: new Error('one') })).toBe('-#', {}, 'another');
    });
    expect(message).toMatchInlineSnapshot(`
      "Marbles differ.
      expected -#
      >     1  # another
      but came
      >     1  # The source "input" failed: one"
    `);
  });

  it('names the streams that there are', () => {
    expect(
      failureOf(({ job, expectElements }) => {
        expectElements(
          job('-|', stream => ({ left: stream, right: stream })),
          'middle',
        ).toBe('-|');
      }),
    ).toBe('The test job has no stream "middle"; it has: left, right.');
  });

  it('fails with what is wrong with the job itself', () => {
    const twice = (stream: MarbleInput) => [counted(stream), counted(stream)];
    expect(failureOf(({ job }) => void job('-|', twice))).toMatch(/Two actors are named "count"/);
    for (const wrong of [undefined, null, [7], { left: 7 }]) {
      expect(failureOf(({ job }) => void job('-|', () => wrong as never))).toMatch(
        /returns a stream, a list of streams, or/,
      );
    }
  });

  it('may compare values and failures by matchers', () => {
    marbles(({ job, expectElements }) => {
      const failing = scan(
        'failing',
        (_: object, id: string) => {
          if (id === 'b') throw new Error('no b');
          return { id, at: Math.random() };
        },
        {},
        { update: 'return' },
      );
      const p = expect.objectContaining({ id: 'a' });
      expectElements(job('-a-b', stream => stream.pipe(failing))).toBe(
        '-p-#',
        { p },
        expect.objectContaining({ code: 'USER_CODE' }),
      );
    });
  });
});
