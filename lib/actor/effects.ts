import type { Side } from '../job/handle.ts';
import type { TimerKind } from './behaviour.ts';

/** A timer call that waits for `receive` to return. */
export interface TimerCall {
  readonly kind: TimerKind;
  readonly time: number;
  readonly isSet: boolean;
}

/**
 * What `receive` asked for, held until it returns and forgotten when it throws. The buffers are reused: an actor handles one
 * message at a time.
 */
export class Effects<R> {
  forgets = false;
  /** Whether something beside output is asked for, which few records do. */
  hasOthers = false;
  private emitted: (R | undefined)[] = [];
  private emittedCount = 0;
  /** Of emitted values, by index, where a handler gave one. */
  private times: number[] | undefined;
  private readonly sides: { name: string; value: unknown }[] = [];
  private readonly timers: TimerCall[] = [];
  private readonly requests: unknown[] = [];

  emit(value: R): void {
    this.emitted[this.emittedCount++] = value;
  }

  /** The same with an event time of its own. */
  emitAt(value: R, timestamp: number): void {
    this.times ??= [];
    this.times[this.emittedCount] = timestamp;
    this.emit(value);
    this.hasOthers = true;
  }

  /** Whether an emitted value has an event time of its own. */
  get hasTimes(): boolean {
    return this.times !== undefined;
  }

  /** The event time that the handler gave for an emitted value, if it gave one. */
  timeAt(index: number): number | undefined {
    return this.times?.[index];
  }

  side(tag: Side<unknown>, value: unknown): void {
    this.sides.push({ name: tag.name, value });
    this.hasOthers = true;
  }

  timer(kind: TimerKind, time: number, isSet: boolean): void {
    this.timers.push({ kind, time, isSet });
    this.hasOthers = true;
  }

  request(value: unknown): void {
    this.requests.push(value);
    this.hasOthers = true;
  }

  forget(): void {
    this.forgets = true;
    this.hasOthers = true;
  }

  /** How many values were emitted. */
  get count(): number {
    return this.emittedCount;
  }

  emittedAt(index: number): R {
    return this.emitted[index] as R;
  }

  /** The value of a record that emitted one, as most do; forgets everything. */
  takeOnly(): R {
    const value = this.emitted[0] as R;
    this.clear();
    return value;
  }

  replaceEmitted(index: number, value: R): void {
    this.emitted[index] = value;
  }

  takeSides(): readonly { name: string; value: unknown }[] {
    return this.sides.length === 0 ? none : this.sides.splice(0);
  }

  /** Until everything is forgotten. */
  get timerCalls(): readonly TimerCall[] {
    return this.timers;
  }

  takeRequests(): readonly unknown[] {
    return this.requests.length === 0 ? none : this.requests.splice(0);
  }

  /** Forgets everything; a buffer that one record made large is not kept. */
  clear(): void {
    if (this.emittedCount > 64) this.emitted = [];
    else for (let i = 0; i < this.emittedCount; i++) this.emitted[i] = undefined;
    this.emittedCount = 0;
    if (!this.hasOthers) return;
    this.hasOthers = false;
    this.times = undefined;
    this.forgets = false;
    // To empty an array that is empty takes V8 longer than to see that it is.
    if (this.sides.length > 0) this.sides.length = 0;
    if (this.timers.length === 1) this.timers.pop();
    else if (this.timers.length > 1) this.timers.length = 0;
    if (this.requests.length > 0) this.requests.length = 0;
  }
}

const none: never[] = [];
