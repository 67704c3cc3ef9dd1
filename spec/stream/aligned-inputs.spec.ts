import fc from 'fast-check';
import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { AlignedInputs } from '../../lib/stream/aligned-inputs.ts';
import type { AlignmentMode } from '../../lib/stream/alignment.ts';
import { Barrier, type Key, type Mark, Rest, Watermark } from '../../lib/stream/elements.ts';
import type { Scope, Stage } from '../../lib/stream/stage.ts';
import { union } from '../../operators/index.ts';
import { DrivenJob } from './driven-job.ts';

type Out =
  | { readonly value: unknown; readonly timestamp: number; readonly key: unknown; readonly input: number }
  | string;

/** Two or more inputs, and all that comes out of them. */
class Joined {
  readonly out: Out[] = [];
  readonly failures: unknown[] = [];
  readonly scope: Scope & { hasFailed: boolean };
  private readonly inputs: readonly Stage<unknown>[];

  constructor(inputs = 2, mode: AlignmentMode = 'exactly-once', onNext: (joined: Joined) => void = () => {}) {
    this.scope = {
      timestamp: Number.NaN,
      key: undefined,
      hasFailed: false,
      scheduler: asyncScheduler,
      fail: error => this.failures.push(error),
      enter: work => work(),
    };
    const joined = new AlignedInputs(this.scope, inputs, mode, {
      next: (input, value) => {
        this.out.push({ value, timestamp: this.scope.timestamp, key: this.scope.key, input });
        onNext(this);
      },
      mark: mark => {
        if (mark instanceof Barrier) this.out.push(`B${mark.id}`);
        else if (mark instanceof Rest) this.out.push(`rest ${mark.id}`);
        else this.out.push(`W${mark.timestamp}${mark.isIdle ? ' idle' : ''}`);
      },
      error: error => this.out.push(`# ${error}`),
      complete: () => this.out.push('|'),
    });
    this.inputs = Array.from({ length: inputs }, (_, input) => joined.input(input));
  }

  record(input: number, value: unknown, timestamp = Number.NaN, key?: Key): void {
    this.scope.timestamp = timestamp;
    this.scope.key = key;
    this.inputs[input]?.next(value);
    expect([this.scope.timestamp, this.scope.key]).toEqual([timestamp, key]);
  }

  mark(input: number, mark: Mark): void {
    this.scope.timestamp = Number.NaN;
    this.scope.key = undefined;
    this.inputs[input]?.mark(mark);
  }

  barrier(input: number, id: number): void {
    this.mark(input, new Barrier(id));
  }

  watermark(input: number, timestamp: number, isIdle = false): void {
    this.mark(input, new Watermark(timestamp, isIdle));
  }

  complete(input: number): void {
    this.inputs[input]?.complete();
  }

  error(input: number, error: unknown): void {
    this.inputs[input]?.error(error);
  }

  /** Values and marks without times and keys. */
  get shown(): readonly unknown[] {
    return this.out.map(out => (typeof out === 'string' ? out : out.value));
  }
}

describe('AlignedInputs', () => {
  it('passes records as they come, with their time, their key and the input that they came on', () => {
    const joined = new Joined();
    joined.record(0, 'a', 1, 'k');
    joined.record(1, 'b', 2, 7);
    expect(joined.out).toEqual([
      { value: 'a', timestamp: 1, key: 'k', input: 0 },
      { value: 'b', timestamp: 2, key: 7, input: 1 },
    ]);
  });

  it('holds back what follows a barrier until it came on every input, then passes it in order with its time and key', () => {
    const joined = new Joined();
    joined.barrier(0, 1);
    joined.record(0, 'after', 5, 'k');
    joined.watermark(0, 4);
    joined.record(0, 'later', 6, 'l');
    joined.record(1, 'before', 1, 'm');
    joined.watermark(1, 3);
    expect(joined.shown).toEqual(['before']);
    joined.barrier(1, 1);
    expect(joined.out).toEqual([
      { value: 'before', timestamp: 1, key: 'm', input: 1 },
      'B1',
      { value: 'after', timestamp: 5, key: 'k', input: 0 },
      'W3',
      { value: 'later', timestamp: 6, key: 'l', input: 0 },
    ]);
  });

  it('leaves the time and key of the record that is being handled as they are', () => {
    const joined = new Joined();
    joined.barrier(0, 1);
    joined.record(0, 'after', 5, 'k');
    joined.scope.timestamp = 77;
    joined.scope.key = 'current';
    joined.complete(1);
    expect(joined.shown).toEqual(['B1', 'after']);
    expect([joined.scope.timestamp, joined.scope.key]).toEqual([77, 'current']);
  });

  it('lets records pass in at-least-once mode', () => {
    const joined = new Joined(2, 'at-least-once');
    joined.barrier(0, 1);
    joined.record(0, 'after');
    joined.barrier(1, 1);
    expect(joined.shown).toEqual(['after', 'B1']);
  });

  it('passes the lowest watermark of its inputs, once', () => {
    const joined = new Joined(3);
    joined.watermark(0, 10);
    joined.watermark(1, 5);
    expect(joined.shown).toEqual([]);
    joined.watermark(2, 7);
    joined.watermark(0, 12);
    joined.watermark(2, 8);
    joined.watermark(1, 9);
    joined.watermark(1, 4);
    expect(joined.shown).toEqual(['W5', 'W8']);
  });

  it('does not let a watermark go back', () => {
    const joined = new Joined();
    joined.watermark(0, 10);
    joined.watermark(0, 4);
    joined.watermark(1, 20);
    expect(joined.shown).toEqual(['W10']);
  });

  it('does not wait for the watermark of an input that has ended', () => {
    const joined = new Joined();
    joined.watermark(0, 10);
    joined.complete(1);
    joined.watermark(0, 11);
    expect(joined.shown).toEqual(['W10', 'W11']);
  });

  it('does not wait for the watermark of an idle input, until that one has a watermark again', () => {
    const joined = new Joined();
    joined.watermark(0, 10);
    joined.watermark(1, 3);
    joined.watermark(1, 3, true);
    joined.watermark(0, 20);
    joined.watermark(1, 3);
    joined.watermark(0, 30);
    joined.watermark(1, 25);
    expect(joined.shown).toEqual(['W3', 'W10', 'W20', 'W25']);
  });

  it('is idle while all open inputs are, and says so once', () => {
    const joined = new Joined(3);
    for (const input of [0, 1, 2]) joined.watermark(input, 5);
    joined.watermark(0, 9, true);
    joined.complete(1);
    joined.watermark(2, 7, true);
    joined.watermark(2, 8, true);
    joined.watermark(0, 12);
    joined.watermark(2, 8);
    joined.watermark(0, 13);
    expect(joined.shown).toEqual(['W5', 'W9 idle', 'W12']);
  });

  it('passes the highest watermark when every input has ended', () => {
    const joined = new Joined();
    joined.watermark(0, Number.POSITIVE_INFINITY);
    joined.complete(0);
    joined.watermark(1, 5);
    joined.complete(1);
    expect(joined.shown).toEqual(['W5', 'WInfinity', '|']);
  });

  it('passes no watermark past what is held back of an input that has ended', () => {
    const joined = new Joined(3);
    joined.barrier(0, 1);
    joined.record(0, 'held', 5);
    joined.complete(0);
    joined.watermark(1, 100);
    joined.watermark(2, 100);
    expect(joined.shown).toEqual([]);
    joined.barrier(1, 1);
    expect(joined.shown).toEqual([]);
    joined.barrier(2, 1);
    expect(joined.shown).toEqual(['B1', 'held', 'W100']);
  });

  it('does not wait for the barriers of an input that has ended, nor for its end behind what is held back', () => {
    const joined = new Joined();
    joined.barrier(0, 1);
    joined.record(0, 'held');
    joined.complete(0);
    joined.record(1, 'open');
    joined.complete(1);
    expect(joined.shown).toEqual(['open', 'B1', 'held', '|']);
  });

  it('completes once, when every input has', () => {
    const joined = new Joined();
    joined.complete(0);
    joined.complete(0);
    expect(joined.shown).toEqual([]);
    joined.complete(1);
    joined.complete(1);
    expect(joined.shown).toEqual(['|']);
  });

  it('still passes the barriers and watermarks of inputs that have ended', () => {
    const joined = new Joined();
    joined.complete(0);
    joined.complete(1);
    joined.barrier(0, 1);
    joined.barrier(1, 1);
    joined.watermark(0, 9);
    expect(joined.shown).toEqual(['|', 'B1', 'W9']);
  });

  it('passes an error notification at once, past what is held back', () => {
    const joined = new Joined();
    joined.barrier(0, 1);
    joined.record(0, 'held');
    joined.error(1, 'boom');
    expect(joined.shown).toEqual(['# boom']);
  });

  it('passes nothing after the task has failed, not even what it is releasing', () => {
    const joined = new Joined(2, 'exactly-once', self => {
      self.scope.hasFailed = true;
    });
    joined.barrier(0, 1);
    joined.record(0, 'first');
    joined.record(0, 'second');
    joined.complete(0);
    joined.barrier(1, 1);
    joined.record(1, 'third');
    joined.watermark(1, 1);
    joined.barrier(1, 2);
    joined.complete(1);
    expect(joined.shown).toEqual(['B1', 'first']);
  });

  it('loses, repeats and reorders nothing, and keeps watermarks behind the records that they bound', () => {
    const inputs = 3;
    const steps = fc.array(
      fc.record({
        input: fc.nat(inputs - 1),
        what: fc.constantFrom('record', 'record', 'watermark', 'barrier', 'complete'),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom<AlignmentMode>('exactly-once', 'at-least-once'), (all, mode) => {
        const joined = new Joined(inputs, mode);
        const given: string[][] = Array.from({ length: inputs }, () => []);
        const barriers = new Array<number>(inputs).fill(0);
        const times = new Array<number>(inputs).fill(0);
        const ended = new Set<number>();
        const act = (input: number, what: string): void => {
          if (what === 'barrier') {
            // One checkpoint at a time: no input runs ahead of another by more than one barrier.
            const open = [...barriers.keys()].filter(other => !ended.has(other));
            if (ended.has(input) || open.some(other => (barriers[other] as number) < (barriers[input] as number)))
              return;
            barriers[input] = (barriers[input] as number) + 1;
            joined.barrier(input, barriers[input] as number);
          } else if (ended.has(input)) return;
          else if (what === 'complete') {
            ended.add(input);
            joined.complete(input);
          } else if (what === 'watermark') {
            joined.watermark(input, times[input] as number);
          } else {
            // In time order on each input, so a watermark of an input is never above its later records.
            times[input] = (times[input] as number) + 1;
            const name = `${input}:${given[input]?.length}`;
            given[input]?.push(name);
            joined.record(input, name, times[input] as number, name);
          }
        };
        for (const { input, what } of all) act(input, what);
        for (let input = 0; input < inputs; input++) act(input, 'complete');
        let watermark = Number.NEGATIVE_INFINITY;
        const passed: string[][] = Array.from({ length: inputs }, () => []);
        for (const out of joined.out) {
          if (typeof out === 'string') {
            if (!out.startsWith('W')) continue;
            expect(Number(out.slice(1))).toBeGreaterThan(watermark);
            watermark = Number(out.slice(1));
          } else {
            passed[out.input]?.push(out.value as string);
            expect(out.key).toBe(out.value);
            if (mode === 'exactly-once') expect(out.timestamp).toBeGreaterThanOrEqual(watermark);
          }
        }
        expect(passed).toEqual(given);
        expect(joined.out.filter(out => out === '|')).toEqual(['|']);
        const ids = joined.out.flatMap(out => (typeof out === 'string' && out.startsWith('B') ? [out] : []));
        expect(ids).toEqual([...new Set(ids)]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a union in a job', () => {
  const inputs = ['a', 'b'] as const;
  const joined = () => new DrivenJob(({ a, b }) => ({ output: union(a, b) }), { inputs });

  it('passes each barrier once, behind the records of both inputs', () => {
    const job = joined();
    job.push(1, 5, 'a');
    job.push(2, 6, 'b');
    job.checkpoint();
    job.push(3, 7, 'a');
    job.complete('a');
    job.checkpoint();
    job.push(4, 8, 'b');
    job.complete('b');
    expect(job.elements()).toEqual([
      { value: 1, timestamp: 5, key: undefined },
      { value: 2, timestamp: 6, key: undefined },
      'B1',
      { value: 3, timestamp: 7, key: undefined },
      'B2',
      { value: 4, timestamp: 8, key: undefined },
      'complete',
      'B3',
    ]);
    expect(job.phase).toBe('finished');
  });

  it('passes the lowest watermark, and after a crash at once that of the checkpoint', () => {
    const job = joined();
    job.watermark(10, 'a');
    job.watermark(5, 'b');
    job.checkpoint();
    job.watermark(20, 'a');
    expect(job.elements()).toEqual(['W5', 'B1']);
    job.crash();
    job.watermark(15, 'b');
    expect(job.elements().slice(2)).toEqual(['W5', 'W15']);
  });
});
