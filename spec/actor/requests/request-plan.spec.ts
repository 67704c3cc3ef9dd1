import { describe, expect, it } from 'vitest';
import {
  type Pending,
  RequestPlan,
  type RequestRules,
  type RequestStep,
} from '../../../lib/actor/requests/request-plan.ts';

const rules = (over: Partial<RequestRules> = {}): RequestRules => ({
  ordered: true,
  concurrency: 2,
  timeoutMs: undefined,
  attempts: 1,
  backoff: { initial: 100, max: 1_000, factor: 2 },
  random: () => 0.999_999,
  ...over,
});

/** A plan of requests that are letters, with steps as words. */
function planned(over: Partial<RequestRules> = {}) {
  const plan = new RequestPlan<string>(rules(over));
  const pending = new Map<string, Pending<string>>();
  const inWords = (step: RequestStep<string>): string => {
    switch (step.kind) {
      case 'send':
        pending.set(step.pending.request, step.pending);
        return step.attempt === 1 ? `send ${step.pending.request}` : `send ${step.pending.request} again`;
      case 'expire':
        return `expire ${step.pending.request}`;
      case 'answer':
        return `${step.pending.request}: ${step.answer}`;
      case 'failure':
        return `${step.pending.request} failed: ${step.error}`;
      case 'watermark':
        return `watermark ${step.timestamp}`;
      case 'hold':
        return step.isHeld ? 'hold' : 'release';
      case 'complete':
        return 'complete';
    }
  };
  const told = (steps: readonly RequestStep<string>[]): string[] => steps.map(inWords);
  const of = (letter: string) => pending.get(letter) as Pending<string>;
  return {
    plan,
    add: (letter: string, now = 0) => told(plan.add(letter, now)),
    answer: (letter: string, now = 0, attempt = of(letter).attempt) =>
      told(plan.answered(of(letter), attempt, 'yes', now)),
    fail: (letter: string, { now = 0, helps = true, attempt = of(letter).attempt } = {}) =>
      told(plan.failed(of(letter), attempt, 'no', helps, now)),
    watermark: (timestamp: number) => told(plan.watermark(timestamp)),
    due: (now: number) => told(plan.due(now)),
    end: () => told(plan.end()),
    restore: (requests: [string, number][], now = 0) => told(plan.restore(requests, now)),
    left: () => [...plan].map(({ request }) => request),
  };
}

describe('a plan of requests', () => {
  it('sends up to `concurrency` of them, and holds the input back from then on until half are left', () => {
    const { add, answer, left } = planned();
    expect(add('a')).toEqual(['send a']);
    expect(add('b')).toEqual(['send b', 'hold']);
    expect(add('c')).toEqual([]);
    expect(add('d')).toEqual([]);
    expect(answer('a')).toEqual(['a: yes', 'send c']);
    expect(answer('b')).toEqual(['b: yes', 'send d']);
    expect(answer('c')).toEqual(['c: yes', 'release']);
    expect(left()).toEqual(['d']);
  });

  it('hands answers over in order, and counts those that wait as under way', () => {
    const { add, answer } = planned();
    for (const letter of ['a', 'b', 'c']) add(letter);
    expect(answer('b')).toEqual([]);
    expect(answer('a')).toEqual(['a: yes', 'b: yes', 'send c', 'release']);
  });

  it('hands them over as they come when they need no order', () => {
    const { add, answer, left } = planned({ ordered: false });
    for (const letter of ['a', 'b', 'c']) add(letter);
    expect(answer('b')).toEqual(['b: yes', 'send c']);
    expect(answer('c')).toEqual(['c: yes', 'release']);
    expect(left()).toEqual(['a']);
  });

  it.each([true, false])('lets no watermark pass a request before it, with order %s', ordered => {
    const { add, answer, watermark } = planned({ ordered });
    expect(watermark(1)).toEqual(['watermark 1']);
    add('a');
    expect(watermark(2)).toEqual([]);
    add('b');
    expect(watermark(3)).toEqual([]);
    expect(watermark(3)).toEqual([]);
    expect(watermark(0)).toEqual([]);
    if (ordered) {
      expect(answer('b')).toEqual([]);
      expect(answer('a')).toEqual(['a: yes', 'watermark 2', 'b: yes', 'watermark 3', 'release']);
    } else {
      expect(answer('b')).toEqual(['b: yes', 'release']);
      expect(answer('a')).toEqual(['a: yes', 'watermark 3']);
    }
  });

  it('keeps the last watermark and the end of time apart', () => {
    const { add, answer, watermark, end } = planned();
    add('a');
    expect(watermark(3)).toEqual([]);
    expect(watermark(Number.POSITIVE_INFINITY)).toEqual([]);
    expect(end()).toEqual([]);
    expect(answer('a')).toEqual(['a: yes', 'watermark 3', 'watermark Infinity', 'complete']);
  });

  it('completes at once when nothing is left, and once', () => {
    const { end } = planned();
    expect(end()).toEqual(['complete']);
    expect(end()).toEqual([]);
  });

  it('rests between attempts, longer each time, and keeps the place of a request', () => {
    const { add, answer, fail, due, plan } = planned({ attempts: 4, backoff: { initial: 100, max: 300, factor: 2 } });
    add('a');
    add('b');
    expect(answer('b')).toEqual([]);
    expect(fail('a', { now: 10 })).toEqual([]);
    expect(plan.nextTime).toBeCloseTo(110, 2);
    expect(due(109)).toEqual([]);
    expect(due(110)).toEqual(['send a again']);
    fail('a', { now: 110 });
    expect(plan.nextTime).toBeCloseTo(310, 2);
    expect(due(310)).toEqual(['send a again']);
    fail('a', { now: 310 });
    expect(plan.nextTime).toBeCloseTo(610, 2);
    expect(due(610)).toEqual(['send a again']);
    expect(fail('a', { now: 610 })).toEqual(['a failed: no', 'b: yes', 'release']);
    expect(plan.nextTime).toBeUndefined();
  });

  it('forgets the timeout of an attempt that has failed before it', () => {
    const { add, fail, due, plan } = planned({ timeoutMs: 10, attempts: 2 });
    add('a');
    fail('a', { now: 1 });
    expect(due(10)).toEqual([]);
    expect(plan.nextTime).toBeCloseTo(101, 2);
  });

  it('rests at least half of the time', () => {
    const { add, fail, plan } = planned({ attempts: 2, random: () => 0 });
    add('a');
    fail('a');
    expect(plan.nextTime).toBe(50);
  });

  it('gives up at once when another attempt does not help', () => {
    const { add, fail } = planned({ attempts: 4 });
    add('a');
    expect(fail('a', { helps: false })).toEqual(['a failed: no']);
  });

  it('lets attempts expire, and hears nothing more of them', () => {
    const { add, answer, fail, due, plan } = planned({
      timeoutMs: 10,
      attempts: 2,
      backoff: { initial: 0, max: 0, factor: 1 },
    });
    add('a', 0);
    add('b', 5);
    expect(plan.nextTime).toBe(10);
    expect(answer('b', 9)).toEqual([]);
    expect(due(20)).toEqual(['expire a']);
    expect(fail('a', { now: 20 })).toEqual([]);
    expect(answer('a', 20, 1)).toEqual([]);
    expect(due(20)).toEqual(['send a again']);
    expect(answer('a', 21, 1)).toEqual([]);
    expect(fail('a', { now: 21, attempt: 1 })).toEqual([]);
    expect(answer('a', 22)).toEqual(['a: yes', 'b: yes', 'release']);
    expect(answer('a', 23, 2)).toEqual([]);
    expect(plan.nextTime).toBeUndefined();
  });

  it('begins anew with what a snapshot holds, and passes the watermark on that was out', () => {
    const { restore, answer, watermark, left } = planned();
    expect(
      restore([
        ['a', 1],
        ['b', 2],
        ['c', 2],
      ]),
    ).toEqual(['watermark 1', 'send a', 'send b', 'hold']);
    expect(watermark(2)).toEqual([]);
    expect(watermark(3)).toEqual([]);
    expect(answer('a')).toEqual(['a: yes', 'watermark 2', 'send c']);
    expect(answer('b')).toEqual(['b: yes', 'release']);
    expect(left()).toEqual(['c']);
    expect(answer('c')).toEqual(['c: yes', 'watermark 3']);
  });
});
