import { Registry } from 'prom-client';
import { BehaviorSubject, NEVER, Subject } from 'rxjs';
import type { TidemarkError } from '../../lib/errors.ts';
import type { CheckpointEvent, JobHandle, JobOutcome, JobStatus } from '../../lib/job/handle.ts';

export const someStatus: JobStatus = {
  job: 'delays',
  task: 'main',
  phase: 'running',
  attempt: 1,
  records: { in: 10_812, out: 11_002 },
  sources: [
    {
      name: 'flights',
      kind: 'file',
      records: 10_812,
      isBounded: true,
      progress: 0.546,
      isPaused: false,
      isFinished: false,
    },
  ],
  actors: [
    { name: 'worst', keys: 182 },
    { name: 'last10', keys: 1_820 },
  ],
};

export const someCheckpoint: CheckpointEvent = {
  id: 12,
  outcome: 'committed',
  isFinal: false,
  durationMs: 4.2,
  stallMs: 0.3,
  bytes: 23_456,
  entries: 182,
  at: Date.UTC(2001, 0, 1, 12, 0, 0),
};

/** A handle that does what a spec tells it to. */
export class FakeHandle implements JobHandle {
  readonly job = someStatus.job;
  readonly statuses = new BehaviorSubject<JobStatus>({ ...someStatus, phase: 'starting' });
  readonly checkpoints = new Subject<CheckpointEvent>();
  readonly status$ = this.statuses.asObservable();
  readonly checkpoints$ = this.checkpoints.asObservable();
  readonly metrics$ = NEVER;
  readonly registry = new Registry();
  readonly calls: string[] = [];
  readonly done: Promise<JobOutcome>;
  readonly #end: PromiseWithResolvers<JobOutcome> = Promise.withResolvers();
  /** What `stop` does beside being noted. */
  onStop: () => void = () => {};

  constructor() {
    this.done = this.#end.promise;
    this.done.catch(() => {});
  }

  get status(): JobStatus {
    return this.statuses.value;
  }

  show(change: Partial<JobStatus>): void {
    this.statuses.next({ ...this.status, ...change });
  }

  end(outcome: JobOutcome): void {
    this.show({ phase: outcome });
    this.statuses.complete();
    this.checkpoints.complete();
    this.#end.resolve(outcome);
  }

  fail(error: TidemarkError): void {
    this.show({ phase: 'failed', error });
    this.statuses.complete();
    this.checkpoints.complete();
    this.#end.reject(error);
  }

  checkpoint(): void {
    this.calls.push('checkpoint');
  }

  output() {
    return NEVER;
  }

  async ask() {
    return undefined;
  }

  savepoint(): Promise<never> {
    return Promise.reject(new Error('a fake has no state'));
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
    this.onStop();
    await this.done;
  }

  async cancel(): Promise<void> {
    this.calls.push('cancel');
    await this.done;
  }
}
