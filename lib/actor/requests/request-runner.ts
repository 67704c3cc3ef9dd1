import { isObservable } from 'rxjs';
import { TimeoutError, UserCodeError } from '../../errors.ts';
import type { Scope } from '../../stream/stage.ts';
import { Alarm } from '../alarm.ts';
import { keyOf, type MapKey } from '../key.ts';
import type { KeyedState } from '../keyed-state.ts';
import { type Pending, RequestPlan, type RequestStep } from './request-plan.ts';
import type { RequestContext, Requests, StoredRequest } from './requests.ts';

export const defaultConcurrency = 100;

/** What the requests do to their actor and its task; all of it inside the gate. */
export interface RequestOwner {
  readonly name: string;
  answered(stored: StoredRequest, answer: unknown): void;
  /** No attempt is left, and no fallback. */
  failed(stored: StoredRequest, error: unknown, attempts: number): void;
  passWatermark(timestamp: number): void;
  /** The input has ended, and so has the last request. */
  completed(): void;
  holdInput(isHeld: boolean): void;
  random(): number;
}

/** The requests of a running actor: makes the attempts, and brings what comes of them in through the gate. */
export class RequestRunner {
  readonly #requests: Requests<unknown, unknown>;
  readonly #scope: Scope;
  readonly #owner: RequestOwner;
  readonly #table: KeyedState<StoredRequest>;
  readonly #plan: RequestPlan<Running>;
  readonly #alarm: Alarm;
  #nextId = 0;
  #holdsInput = false;
  #isResting = false;

  constructor(
    requests: Requests<unknown, unknown>,
    scope: Scope,
    table: KeyedState<StoredRequest>,
    owner: RequestOwner,
  ) {
    this.#requests = requests;
    this.#scope = scope;
    this.#table = table;
    this.#owner = owner;
    this.#plan = new RequestPlan({
      ordered: requests.ordered ?? true,
      concurrency: requests.concurrency ?? defaultConcurrency,
      timeoutMs: requests.timeoutMs,
      attempts: requests.attempts ?? 1,
      backoff: requests.backoff ?? { initial: 0, max: 0, factor: 1 },
      random: () => owner.random(),
    });
    this.#alarm = new Alarm(scope, () => {
      if (!this.#isResting) this.#carryOut(this.#plan.due(this.#now()));
    });
  }

  /** Makes the requests of the restored snapshot again; before the first element. */
  open(): void {
    const restored = [...this.#table.cells()].sort((a, b) => (a.key as number) - (b.key as number));
    if (restored.length === 0) return;
    this.#nextId = (restored.at(-1)?.key as number) + 1;
    const running = restored.map(({ key, value }) => [new Running(key as number, value), value[3]] as const);
    this.#carryOut(this.#plan.restore(running, this.#now()));
  }

  add(request: unknown, key: MapKey, timestamp: number): void {
    const stored: StoredRequest = [request, key, timestamp, this.#plan.received];
    const id = this.#nextId++;
    this.#table.set(id, stored);
    this.#carryOut(this.#plan.add(new Running(id, stored), this.#now()));
  }

  watermark(timestamp: number): void {
    this.#carryOut(this.#plan.watermark(timestamp));
  }

  end(): void {
    this.#carryOut(this.#plan.end());
  }

  /** What is under way stays so in the snapshot: its answers are not handled any more, nor does anything wait for them. */
  rest(): void {
    this.#isResting = true;
    this.#alarm.clear();
    if (this.#holdsInput) this.#owner.holdInput(false);
    this.#holdsInput = false;
  }

  close(): void {
    this.#alarm.clear();
    for (const { request } of this.#plan) request.attempt?.abort();
  }

  #now(): number {
    return this.#scope.scheduler.now();
  }

  #carryOut(steps: readonly RequestStep<Running>[]): void {
    for (const step of steps) {
      if (this.#scope.hasFailed) return;
      this.#do(step);
    }
    this.#alarm.setFor(this.#plan.nextTime);
  }

  #do(step: RequestStep<Running>): void {
    switch (step.kind) {
      case 'send':
        this.#send(step.pending, step.attempt);
        break;
      case 'expire':
        this.#expire(step.pending, step.attempt);
        break;
      case 'answer':
        this.#table.delete(step.pending.request.id);
        this.#owner.answered(step.pending.request.stored, step.answer);
        break;
      case 'failure':
        this.#table.delete(step.pending.request.id);
        this.#fail(step.pending, step.error);
        break;
      case 'watermark':
        this.#owner.passWatermark(step.timestamp);
        break;
      case 'hold':
        this.#holdsInput = step.isHeld;
        this.#owner.holdInput(step.isHeld);
        break;
      case 'complete':
        this.#owner.completed();
    }
  }

  /** What is answered is told `then` as it is, without a promise around it: so a test can answer in virtual time. */
  #send(pending: Pending<Running>, number: number): void {
    const { request } = pending;
    const [value, key] = request.stored;
    const attempt = new Attempt(key, number);
    request.attempt = attempt;
    const settled = (steps: () => readonly RequestStep<Running>[]) =>
      this.#scope.enter(() => {
        if (!this.#isResting) this.#carryOut(steps());
      });
    const failed = (error: unknown) => settled(() => this.#failed(pending, number, error));
    try {
      const answer = this.#requests.send(value, attempt);
      this.#awaited(answer).then(
        result => settled(() => this.#plan.answered(pending, number, result, this.#now())),
        failed,
      );
    } catch (error) {
      failed(error);
    }
  }

  #awaited(answer: unknown): PromiseLike<unknown> {
    if (isThenable(answer)) return answer;
    if (isObservable(answer)) {
      throw new UserCodeError(
        `A request of "${this.#owner.name}" gave an Observable where a promise is awaited: put firstValueFrom() around it.`,
        { context: { operator: this.#owner.name } },
      );
    }
    return Promise.resolve(answer);
  }

  #expire(pending: Pending<Running>, attempt: number): void {
    const error = new TimeoutError(
      `A request of "${this.#owner.name}" was not answered within ${this.#requests.timeoutMs} ms.`,
      { context: { operator: this.#owner.name } },
    );
    pending.request.attempt?.abort(error);
    // User code may have answered while it was aborted: that waits at the gate, and comes too late.
    this.#carryOut(this.#failed(pending, attempt, error));
  }

  #failed(pending: Pending<Running>, attempt: number, error: unknown): readonly RequestStep<Running>[] {
    try {
      const isRetriable = this.#requests.isRetriable?.(error) ?? true;
      return this.#plan.failed(pending, attempt, error, isRetriable, this.#now());
    } catch (thrown) {
      return this.#plan.failed(pending, attempt, thrown, false, this.#now());
    }
  }

  #fail({ request: { stored }, attempt }: Pending<Running>, error: unknown): void {
    if (!this.#requests.fallback) {
      this.#owner.failed(stored, error, attempt);
      return;
    }
    let answer: unknown;
    try {
      answer = this.#requests.fallback(error, stored[0]);
    } catch (thrown) {
      this.#owner.failed(stored, thrown, attempt);
      return;
    }
    this.#owner.answered(stored, answer);
  }
}

/** A request with the attempt that is under way. */
class Running {
  readonly id: number;
  readonly stored: StoredRequest;
  attempt: Attempt | undefined;

  constructor(id: number, stored: StoredRequest) {
    this.id = id;
    this.stored = stored;
  }
}

/** One attempt, as user code sees it. Most do not look at the signal, which costs more to make than the rest of a request. */
class Attempt implements RequestContext {
  readonly attempt: number;
  readonly #key: MapKey;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(key: MapKey, attempt: number) {
    this.#key = key;
    this.attempt = attempt;
  }

  get key(): RequestContext['key'] {
    return keyOf(this.#key);
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
}
