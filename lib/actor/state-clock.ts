import type { Moment } from '../checkpoint/stamped-value.ts';
import { UserCodeError } from '../errors.ts';
import type { Scope } from '../stream/stage.ts';

/**
 * What time it is for state of an actor that expires; it stands still while a handler runs.
 *
 * Event time is that of the watermark, or of the event-time timer that fires before it. The end of the input, a watermark behind
 * all times, does not move it: state does not expire because there are no more records.
 */
export class StateClock {
  /** When event time was first known in this run. What was written before, or restored without a time, counts from here. */
  readonly beginning: Moment = { time: Number.NaN };
  readonly #actor: string;
  readonly #scope: Scope;
  #processing = Number.NaN;
  #event = Number.NEGATIVE_INFINITY;
  /** Event time of what is written now; NaN when the record has none. */
  #written = Number.NEGATIVE_INFINITY;

  constructor(actor: string, scope: Scope) {
    this.#actor = actor;
    this.#scope = scope;
    this.set();
  }

  /** Before a handler, or any other look at the state; `recordTime` is that of a record, where one is handled. */
  set(recordTime = Number.NEGATIVE_INFINITY): void {
    this.#processing = this.#scope.scheduler.now();
    this.#written = Math.max(this.#event, recordTime);
    if (Number.isNaN(this.beginning.time) && Number.isFinite(this.#written)) this.beginning.time = this.#written;
  }

  /** Event time has come to `time`. */
  advance(time: number): void {
    if (time > this.#event && time !== Number.POSITIVE_INFINITY) this.#event = time;
  }

  now(on: 'processing' | 'event'): number {
    return on === 'event' ? this.#event : this.#processing;
  }

  /** The time of what is written or read now. */
  stamp(on: 'processing' | 'event'): number | Moment {
    if (on === 'processing') return this.#processing;
    if (Number.isNaN(this.#written)) {
      throw new UserCodeError(
        `State of the actor "${this.#actor}" expires by event time, and its record has no timestamp: give its source the option "timestamp", ` +
          'or count by the clock (ttl: { on: "processing" }).',
      );
    }
    return this.#written === Number.NEGATIVE_INFINITY ? this.beginning : this.#written;
  }
}
