import { Timer, TimerHeap } from '../timer-heap.ts';
import type { Backoff } from './requests.ts';

export interface RequestRules {
  readonly ordered: boolean;
  readonly concurrency: number;
  /** ms; `undefined` for no limit. */
  readonly timeoutMs: number | undefined;
  /** In all. */
  readonly attempts: number;
  readonly backoff: Backoff;
  /** From 0 up to 1, for the jitter of the backoff. */
  random(): number;
}

/** What the caller does next. */
export type RequestStep<Q> =
  | { readonly kind: 'send'; readonly pending: Pending<Q>; readonly attempt: number }
  /** The attempt takes too long: abort it, and tell its failure. */
  | { readonly kind: 'expire'; readonly pending: Pending<Q>; readonly attempt: number }
  | { readonly kind: 'answer'; readonly pending: Pending<Q>; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly pending: Pending<Q>; readonly error: unknown }
  /** No request before this watermark is left: pass it on. */
  | { readonly kind: 'watermark'; readonly timestamp: number }
  | { readonly kind: 'hold'; readonly isHeld: boolean }
  | { readonly kind: 'complete' };

type Phase = 'waiting' | 'sent' | 'resting' | 'answered' | 'failed' | 'gone';

/** A request whose answer has not been handled. Only the plan changes it. */
export class Pending<Q> {
  readonly request: Q;
  /** The last watermark that came before it. */
  readonly after: number;
  phase: Phase = 'waiting';
  attempt = 0;
  /** Answer or error, while it waits for its turn. */
  outcome: unknown = undefined;
  deadline: Deadline<Q> | undefined;
  previous: Pending<Q> | undefined;
  next: Pending<Q> | undefined;

  constructor(request: Q, after: number) {
    this.request = request;
    this.after = after;
  }
}

class Deadline<Q> extends Timer {
  readonly pending: Pending<Q>;

  constructor(pending: Pending<Q>, time: number, order: number) {
    super(order, time, order, 0);
    this.pending = pending;
  }
}

/**
 * Decides about the requests of one actor; does nothing itself. The caller tells it what happens, with the time in ms, and
 * carries out the answered steps in order before it tells anything else.
 *
 * At most `concurrency` requests are under way: they were sent, and their answer has not been handled, whether it has come or
 * waits for its turn. The input is held back from as many that are there, sent or not, until half of them are left. The
 * watermark behind it is that of the oldest request.
 */
export class RequestPlan<Q> {
  readonly #rules: RequestRules;
  readonly #deadlines = new TimerHeap();
  #order = 0;
  #oldest: Pending<Q> | undefined;
  #newest: Pending<Q> | undefined;
  /** The first that has not been sent. */
  #unsent: Pending<Q> | undefined;
  #size = 0;
  #underWay = 0;
  #received = Number.NEGATIVE_INFINITY;
  #passed = Number.NEGATIVE_INFINITY;
  /** The last watermark before the end of time. */
  #beforeEnd = Number.NEGATIVE_INFINITY;
  #isHeld = false;
  #hasEnded = false;

  constructor(rules: RequestRules) {
    this.#rules = rules;
  }

  /** Requests whose answer has not been handled. */
  get size(): number {
    return this.#size;
  }

  /** The last watermark that came. */
  get received(): number {
    return this.#received;
  }

  /** When to call `due` next. */
  get nextTime(): number | undefined {
    return this.#deadlines.first?.time;
  }

  /** The requests whose answer has not been handled, oldest first. */
  *[Symbol.iterator](): IterableIterator<Pending<Q>> {
    for (let pending = this.#oldest; pending; pending = pending.next) yield pending;
  }

  /** Before anything else: the requests of a snapshot, oldest first, with the watermarks that they came after. */
  restore(requests: Iterable<readonly [request: Q, after: number]>, now: number): readonly RequestStep<Q>[] {
    const steps: RequestStep<Q>[] = [];
    for (const [request, after] of requests) {
      this.#append(request, after);
      this.#received = Math.max(this.#received, after);
    }
    this.#passWatermark(steps);
    this.#goOn(steps, now);
    return steps;
  }

  add(request: Q, now: number): readonly RequestStep<Q>[] {
    const steps: RequestStep<Q>[] = [];
    this.#append(request, this.#received);
    this.#goOn(steps, now);
    return steps;
  }

  watermark(timestamp: number): readonly RequestStep<Q>[] {
    const steps: RequestStep<Q>[] = [];
    if (timestamp <= this.#received) return nothing;
    if (timestamp === Number.POSITIVE_INFINITY) this.#beforeEnd = this.#received;
    this.#received = timestamp;
    this.#passWatermark(steps);
    return steps;
  }

  answered(pending: Pending<Q>, attempt: number, answer: unknown, now: number): readonly RequestStep<Q>[] {
    if (!isAwaited(pending, attempt)) return nothing;
    return this.#settle(pending, 'answered', answer, now);
  }

  failed(
    pending: Pending<Q>,
    attempt: number,
    error: unknown,
    isRetriable: boolean,
    now: number,
  ): readonly RequestStep<Q>[] {
    if (!isAwaited(pending, attempt)) return nothing;
    if (!isRetriable || attempt >= this.#rules.attempts) return this.#settle(pending, 'failed', error, now);
    pending.phase = 'resting';
    this.#setDeadline(pending, now + this.#restMs(attempt));
    return nothing;
  }

  /** What is to be done by now: attempts that took too long, and attempts to begin after a rest. */
  due(now: number): readonly RequestStep<Q>[] {
    const steps: RequestStep<Q>[] = [];
    for (let first = this.#deadlines.first; first && first.time <= now; first = this.#deadlines.first) {
      const { pending } = first as Deadline<Q>;
      this.#clearDeadline(pending);
      if (pending.phase === 'resting') this.#send(pending, steps, now);
      else steps.push({ kind: 'expire', pending, attempt: pending.attempt });
    }
    return steps;
  }

  /** The input has ended: complete when the last request is done. */
  end(): readonly RequestStep<Q>[] {
    if (this.#hasEnded) return nothing;
    this.#hasEnded = true;
    return this.#size === 0 ? [{ kind: 'complete' }] : nothing;
  }

  #settle(pending: Pending<Q>, phase: 'answered' | 'failed', outcome: unknown, now: number): readonly RequestStep<Q>[] {
    this.#clearDeadline(pending);
    pending.phase = phase;
    pending.outcome = outcome;
    const steps: RequestStep<Q>[] = [];
    if (this.#rules.ordered) {
      for (let oldest = this.#oldest; oldest && isSettled(oldest); oldest = this.#oldest) this.#handOver(oldest, steps);
    } else this.#handOver(pending, steps);
    this.#goOn(steps, now);
    return steps;
  }

  #handOver(pending: Pending<Q>, steps: RequestStep<Q>[]): void {
    steps.push(
      pending.phase === 'answered'
        ? { kind: 'answer', pending, answer: pending.outcome }
        : { kind: 'failure', pending, error: pending.outcome },
    );
    this.#remove(pending);
    this.#passWatermark(steps);
  }

  #goOn(steps: RequestStep<Q>[], now: number): void {
    const { concurrency } = this.#rules;
    while (this.#unsent && this.#underWay < concurrency) {
      const pending = this.#unsent;
      this.#unsent = pending.next;
      this.#underWay++;
      this.#send(pending, steps, now);
    }
    if (!this.#isHeld && this.#size >= concurrency) {
      this.#isHeld = true;
      steps.push({ kind: 'hold', isHeld: true });
    } else if (this.#isHeld && this.#size <= concurrency / 2) {
      this.#isHeld = false;
      steps.push({ kind: 'hold', isHeld: false });
    }
    if (this.#hasEnded && this.#size === 0) steps.push({ kind: 'complete' });
  }

  #send(pending: Pending<Q>, steps: RequestStep<Q>[], now: number): void {
    pending.phase = 'sent';
    pending.attempt++;
    const { timeoutMs } = this.#rules;
    if (timeoutMs !== undefined) this.#setDeadline(pending, now + timeoutMs);
    steps.push({ kind: 'send', pending, attempt: pending.attempt });
  }

  #passWatermark(steps: RequestStep<Q>[]): void {
    const timestamp = this.#oldest === undefined ? this.#received : this.#oldest.after;
    // Watermarks that waited for the same request are one, but the end of time is none to what sets timers by them.
    if (timestamp === Number.POSITIVE_INFINITY) this.#pass(this.#beforeEnd, steps);
    this.#pass(timestamp, steps);
  }

  #pass(timestamp: number, steps: RequestStep<Q>[]): void {
    if (timestamp <= this.#passed) return;
    this.#passed = timestamp;
    steps.push({ kind: 'watermark', timestamp });
  }

  /** Half of it to all of it, so that what failed together does not come back together. */
  #restMs(attempt: number): number {
    const { initial, max, factor } = this.#rules.backoff;
    const nominal = Math.min(max, initial * factor ** (attempt - 1));
    return nominal * (0.5 + this.#rules.random() / 2);
  }

  #append(request: Q, after: number): void {
    const pending = new Pending(request, after);
    pending.previous = this.#newest;
    if (this.#newest) this.#newest.next = pending;
    else this.#oldest = pending;
    this.#newest = pending;
    this.#unsent ??= pending;
    this.#size++;
  }

  #remove(pending: Pending<Q>): void {
    const { previous, next } = pending;
    if (previous) previous.next = next;
    else this.#oldest = next;
    if (next) next.previous = previous;
    else this.#newest = previous;
    pending.phase = 'gone';
    // What is still referenced by a promise that never settles must not keep its neighbours.
    pending.previous = undefined;
    pending.next = undefined;
    this.#size--;
    this.#underWay--;
  }

  #setDeadline(pending: Pending<Q>, time: number): void {
    this.#clearDeadline(pending);
    pending.deadline = new Deadline(pending, time, this.#order++);
    this.#deadlines.add(pending.deadline);
  }

  #clearDeadline(pending: Pending<Q>): void {
    if (!pending.deadline) return;
    this.#deadlines.remove(pending.deadline);
    pending.deadline = undefined;
  }
}

/** Not so for what comes after a timeout, or twice. */
function isAwaited({ phase, attempt }: Pending<unknown>, told: number): boolean {
  return phase === 'sent' && attempt === told;
}

function isSettled({ phase }: Pending<unknown>): boolean {
  return phase === 'answered' || phase === 'failed';
}

const nothing: never[] = [];
