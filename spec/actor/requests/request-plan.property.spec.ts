import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Pending, RequestPlan, type RequestStep } from '../../../lib/actor/requests/request-plan.ts';

/** What happens next; numbers choose among what is there. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'record' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'watermark' } as const) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('failure' as const), which: fc.nat(), helps: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat({ max: 40 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'checkpoint' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late' as const), which: fc.nat() }) },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

const rulesOf = fc.record({
  ordered: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 5 }),
  timeoutMs: fc.constantFrom(undefined, 15),
  attempts: fc.integer({ min: 1, max: 3 }),
});

/** Output: the number of a record, or a watermark. */
type Out = { readonly result: number } | { readonly watermark: number };

interface Checkpoint {
  readonly requests: readonly (readonly [number, number])[];
  readonly next: number;
  readonly watermark: number;
  readonly out: number;
}

/** A source of numbered records, a watermark for each that asks for one, and a plan that a driver carries out. */
class Run {
  out: Out[] = [];
  now = 0;
  private plan!: RequestPlan<number>;
  private open = new Map<Pending<number>, number>();
  private readonly settled: [Pending<number>, number][] = [];
  private next = 0;
  private watermark = Number.NEGATIVE_INFINITY;
  private isHeld = false;
  private hasCompleted = false;
  private saved: Checkpoint = { requests: [], next: 0, watermark: Number.NEGATIVE_INFINITY, out: 0 };
  private readonly rules: { ordered: boolean; concurrency: number; timeoutMs: number | undefined; attempts: number };

  constructor(rules: Run['rules']) {
    this.rules = rules;
    this.crash();
  }

  happen(event: Event): void {
    switch (event.kind) {
      case 'record':
        if (!this.isHeld) this.carryOut(this.plan.add(this.next++, this.now));
        break;
      case 'watermark':
        this.watermark = this.next * 10;
        this.carryOut(this.plan.watermark(this.watermark));
        break;
      case 'answer':
        this.settle(event.which, (pending, attempt) => this.plan.answered(pending, attempt, pending.request, this.now));
        break;
      case 'failure':
        this.settle(event.which, (pending, attempt) => this.plan.failed(pending, attempt, 'no', event.helps, this.now));
        break;
      case 'late': {
        const told = this.settled[event.which % this.settled.length];
        if (told) expect(this.plan.answered(...told, 'late', this.now)).toEqual([]);
        break;
      }
      case 'time':
        this.now += event.ms;
        this.carryOut(this.plan.due(this.now));
        break;
      case 'checkpoint':
        this.saved = {
          requests: [...this.plan].map(({ request, after }) => [request, after] as const),
          next: this.next,
          watermark: this.watermark,
          out: this.out.length,
        };
        break;
      case 'crash':
        this.crash();
    }
  }

  /** Everything is answered, and the input ends. */
  finish(): Out[] {
    this.carryOut(this.plan.watermark(Number.POSITIVE_INFINITY));
    this.carryOut(this.plan.end());
    for (let rounds = 0; !this.hasCompleted && rounds < 10_000; rounds++) {
      this.happen({ kind: 'answer', which: 0 });
      this.happen({ kind: 'time', ms: 1 });
    }
    expect(this.hasCompleted).toBe(true);
    expect(this.plan.size).toBe(0);
    expect(this.plan.nextTime).toBeUndefined();
    return this.out;
  }

  get records(): number {
    return this.next;
  }

  private crash(): void {
    const { requests, next, watermark, out } = this.saved;
    this.out = this.out.slice(0, out);
    this.next = next;
    this.watermark = watermark;
    this.open = new Map();
    this.isHeld = false;
    this.plan = new RequestPlan({ ...this.rules, backoff: { initial: 5, max: 20, factor: 2 }, random: () => 0.5 });
    // The watermark that was out comes again.
    const steps = this.plan.restore(requests, this.now);
    this.carryOut(steps.filter(step => step.kind !== 'watermark'));
    const [oldest] = requests;
    const wasOut = oldest ? oldest[1] : Number.NEGATIVE_INFINITY;
    expect(steps.filter(step => step.kind === 'watermark').map(({ timestamp }) => timestamp)).toEqual(
      wasOut > Number.NEGATIVE_INFINITY ? [wasOut] : [],
    );
    if (watermark > Number.NEGATIVE_INFINITY) {
      const again = this.plan.watermark(watermark);
      if (requests.length > 0) expect(again).toEqual([]);
    }
  }

  private settle(
    which: number,
    tell: (pending: Pending<number>, attempt: number) => readonly RequestStep<number>[],
  ): void {
    const told = [...this.open][which % this.open.size];
    if (!told) return;
    this.open.delete(told[0]);
    this.settled.push(told);
    this.carryOut(tell(...told));
  }

  private carryOut(steps: readonly RequestStep<number>[]): void {
    for (const step of steps) {
      expect(this.hasCompleted).toBe(false);
      switch (step.kind) {
        case 'send':
          expect(this.open.has(step.pending)).toBe(false);
          this.open.set(step.pending, step.attempt);
          break;
        case 'expire':
          expect(this.open.get(step.pending)).toBe(step.attempt);
          this.open.delete(step.pending);
          this.settled.push([step.pending, step.attempt]);
          this.carryOut(this.plan.failed(step.pending, step.attempt, 'late', true, this.now));
          break;
        case 'answer':
        case 'failure':
          this.out.push({ result: step.pending.request });
          break;
        case 'watermark':
          this.out.push({ watermark: step.timestamp });
          break;
        case 'hold':
          expect(step.isHeld).not.toBe(this.isHeld);
          this.isHeld = step.isHeld;
          break;
        case 'complete':
          this.hasCompleted = true;
      }
    }
    expect(this.open.size).toBeLessThanOrEqual(this.rules.concurrency);
  }
}

test('every record gives one result, in order when ordered, none behind its watermark, whatever fails and crashes', () => {
  fc.assert(
    fc.property(rulesOf, fc.array(event, { maxLength: 120, size: 'max' }), (rules, events) => {
      const run = new Run(rules);
      for (const event of events) run.happen(event as Event);
      const out = run.finish();
      const results = out.flatMap(element => ('result' in element ? [element.result] : []));
      const expected = Array.from({ length: run.records }, (_, n) => n);
      expect(rules.ordered ? results : results.toSorted((a, b) => a - b)).toEqual(expected);
      let watermark = Number.NEGATIVE_INFINITY;
      for (const element of out) {
        if ('watermark' in element) {
          expect(element.watermark).toBeGreaterThan(watermark);
          watermark = element.watermark;
        }
        // Watermark 10 n comes after the records below n.
        else expect(element.result * 10).toBeGreaterThanOrEqual(watermark);
      }
      expect(watermark).toBe(Number.POSITIVE_INFINITY);
    }),
    { numRuns: 1_000 },
  );
});
