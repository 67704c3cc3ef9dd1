/**
 * Where a checkpoint is: `aligning` (barriers are under way) → `writing` (segments, sinks' flushes) → `preparing` (manifest) →
 * `committing` (the commit point decides) → `applying` (sinks make it visible) → `idle`.
 */
export type CheckpointPhase = 'idle' | 'aligning' | 'writing' | 'preparing' | 'committing' | 'applying';

/** What is to be done about a failure. */
export type FailureDecision =
  /** It belongs to a checkpoint that is over. */
  | 'ignore'
  /** Nothing of it can have counted: state and output flow into the next one. */
  | 'abandon'
  /** The task restarts from what the commit point names. */
  | 'restart';

/**
 * Decides what may happen to the one checkpoint that is under way. Pure: no clock, no I/O.
 *
 * Up to `preparing` a checkpoint can be abandoned without loss. From `committing` on only the commit point knows whether it
 * counts, so nothing is abandoned any more.
 */
export class CheckpointProgress {
  phase: CheckpointPhase = 'idle';
  /** The id of the one under way, or of the last one. */
  id: number;
  /** Failures in a row. */
  failures = 0;
  private awaited = 0;
  private readonly tolerableFailures: number;

  /** `lastId`: the highest id ever used; ids only rise and none is used twice. */
  constructor(lastId: number, tolerableFailures: number) {
    this.id = lastId;
    this.tolerableFailures = tolerableFailures;
  }

  get isIdle(): boolean {
    return this.phase === 'idle';
  }

  /** Begins the next checkpoint, whose barrier is to arrive at `ends` ends; answers its id. */
  begin(ends: number): number {
    this.expect('idle');
    this.id++;
    this.awaited = ends;
    this.phase = ends === 0 ? 'writing' : 'aligning';
    return this.id;
  }

  /** The barrier came out at one end; true when it was the last one: everything is to be written. */
  arrived(id: number): boolean {
    if (!this.is(id, 'aligning')) return false;
    this.awaited--;
    if (this.awaited > 0) return false;
    this.phase = 'writing';
    return true;
  }

  /** Segments and flushes are done; false when this checkpoint was given up meanwhile. */
  written(id: number): boolean {
    return this.step(id, 'writing', 'preparing');
  }

  /** The manifest is durable; from here on it may count. */
  prepared(id: number): boolean {
    return this.step(id, 'preparing', 'committing');
  }

  committed(id: number): boolean {
    if (!this.step(id, 'committing', 'applying')) return false;
    this.failures = 0;
    return true;
  }

  applied(id: number): boolean {
    return this.step(id, 'applying', 'idle');
  }

  /** Something failed for checkpoint `id`; `isRetriable` is the error's own word. */
  failed(id: number, isRetriable: boolean): FailureDecision {
    if (id !== this.id || this.phase === 'idle') return 'ignore';
    if (this.phase === 'committing' || this.phase === 'applying') return 'restart';
    this.phase = 'idle';
    this.failures++;
    return isRetriable && this.failures <= this.tolerableFailures ? 'abandon' : 'restart';
  }

  /** The checkpoint timeout passed: it applies only as long as nothing can have counted. */
  timedOut(id: number): FailureDecision {
    if (id !== this.id || this.phase === 'committing' || this.phase === 'applying') return 'ignore';
    return this.failed(id, true);
  }

  private is(id: number, phase: CheckpointPhase): boolean {
    return id === this.id && this.phase === phase;
  }

  private step(id: number, from: CheckpointPhase, to: CheckpointPhase): boolean {
    if (!this.is(id, from)) return false;
    this.phase = to;
    return true;
  }

  private expect(phase: CheckpointPhase): void {
    if (this.phase !== phase) throw new Error(`a checkpoint is ${this.phase}, not ${phase}`);
  }
}
