import { InternalError } from '../../../lib/index.ts';

export type TransactionPhase =
  | 'not initialised'
  | 'none'
  | 'begun'
  | 'flushing'
  | 'flushed'
  | 'adding offsets'
  | 'offsets added'
  | 'ending'
  | 'doomed';

export type TransactionStep =
  | 'initialise'
  | 'write'
  | 'flush'
  | 'flush done'
  | 'add offsets'
  | 'offsets added'
  | 'offsets failed'
  | 'commit'
  | 'abort'
  | 'not sent'
  | 'ended'
  | 'ended in doubt';

// From a phase, what may be asked, and the phase after it. All else is a fault of the caller's.
const transitions: { readonly [P in TransactionPhase]: { readonly [S in TransactionStep]?: TransactionPhase } } = {
  'not initialised': { initialise: 'none' },
  none: { initialise: 'none', write: 'begun', 'add offsets': 'adding offsets' },
  begun: { write: 'begun', flush: 'flushing' },
  flushing: { write: 'flushing', flush: 'flushing', 'flush done': 'flushed' },
  flushed: {
    write: 'begun',
    'add offsets': 'adding offsets',
    commit: 'ending',
    abort: 'ending',
  },
  'adding offsets': { 'add offsets': 'adding offsets', 'offsets added': 'offsets added', 'offsets failed': 'flushed' },
  'offsets added': {
    write: 'begun',
    'add offsets': 'adding offsets',
    commit: 'ending',
    abort: 'ending',
  },
  // In doubt: an earlier request may still arrive, and could spoil the next transaction of the same epoch.
  ending: { ended: 'none', 'ended in doubt': 'not initialised', 'not sent': 'flushed' },
  doomed: {},
};

/**
 * What may be asked of a transactional producer, and when. A transaction begins with the first record, or with the
 * offsets when there is none, and is committed when all records are acknowledged and no offsets are older than the last
 * record. After a failure that dooms it nothing may be asked any more: the producer is dropped, never used again.
 */
export class TransactionState {
  #phase: TransactionPhase = 'not initialised';
  /** Records came since the last `flush`. */
  #hasUnflushed = false;
  /** Records came after the offsets: those belong to a checkpoint that was given up. */
  #hasStaleOffsets = false;
  #hasOffsets = false;
  #flushing = 0;
  #adding = 0;
  #openedAt: number | undefined;
  #doom: unknown;

  get phase(): TransactionPhase {
    return this.#phase;
  }

  get isDoomed(): boolean {
    return this.#phase === 'doomed';
  }

  /** When the open transaction began; `undefined` while there is none. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** Takes a step, at a time of the monotonic clock; throws what doomed it, or an InternalError when it may not be taken. */
  step(step: TransactionStep, now: number): void {
    if (this.#phase === 'doomed') throw this.#doom;
    const next = transitions[this.#phase][step];
    if (next === undefined) {
      throw new InternalError(
        `A Kafka transaction in phase "${this.#phase}" was asked to "${step}": please report it.`,
      );
    }
    if (step === 'commit' && this.#hasStaleOffsets) {
      throw new InternalError('A Kafka transaction was to be committed with offsets older than its last record.');
    }
    if (step === 'write' || step === 'add offsets') this.#openedAt ??= now;
    if (step === 'write') {
      this.#hasUnflushed = true;
      this.#hasStaleOffsets ||= this.#hasOffsets;
    }
    this.#phase = this.#after(step, next);
  }

  /** The first reason counts. */
  doom(error: unknown): void {
    if (this.#phase === 'doomed') return;
    this.#phase = 'doomed';
    this.#doom = error;
  }

  #after(step: TransactionStep, next: TransactionPhase): TransactionPhase {
    switch (step) {
      case 'flush':
        this.#flushing++;
        this.#hasUnflushed = false;
        return next;
      case 'flush done':
        if (--this.#flushing > 0) return 'flushing';
        return this.#hasUnflushed ? 'begun' : next;
      case 'add offsets':
        this.#adding++;
        this.#hasOffsets = true;
        this.#hasStaleOffsets = false;
        return next;
      case 'offsets added':
      case 'offsets failed':
        // Several groups at once: the last one that answers decides; one that failed makes all of it to be done again.
        if (step === 'offsets failed') this.#hasStaleOffsets = true;
        if (--this.#adding > 0) return 'adding offsets';
        return this.#hasStaleOffsets ? 'flushed' : 'offsets added';
      case 'ended':
      case 'ended in doubt':
        this.#hasOffsets = false;
        this.#hasStaleOffsets = false;
        this.#openedAt = undefined;
        return next;
      default:
        return next;
    }
  }
}
