import type { SchedulerLike, Subscription } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { messageOf, UserCodeError } from '../errors.ts';
import { DriftGroup, type DriftMember } from '../event-time/drift-group.ts';
import { type PartitionClock, PartitionClocks } from '../event-time/partition-clocks.ts';
import type { EventTime } from '../event-time/strategy.ts';
import type { Shared } from './shared-services.ts';
import type { PartitionPhase, PartitionRun, SourceMeasures } from './source.ts';

/** What the clock of a source needs of it. */
export interface SourceClockHost {
  readonly name: string;
  readonly scheduler: SchedulerLike;
  readonly shared: Shared;
  /** Whether it gives nothing now, for whatever reason. */
  readonly isHalted: boolean;
  measures(): SourceMeasures | undefined;
  /** The watermark may have risen, or the source become idle or active. */
  clockMoved(): void;
  /** Gives nothing, or again, because it is ahead of other sources. */
  hold(isHeld: boolean): void;
  /** The same for one partition, where the source can do that: answers whether it can. */
  holdPartition(partition: string, isHeld: boolean): boolean;
}

/** What a status tells of a source's event time. */
export interface SourceTime {
  /** ms; left out before the first. */
  readonly watermark?: number;
  /** The partition that holds the watermark back. */
  readonly heldBackBy?: string;
  /** Partitions without records, which hold nothing back. */
  readonly idle: readonly string[];
  /** Partitions that wait because they are ahead of others; the source's name where it waits as a whole. */
  readonly ahead: readonly string[];
}

const noRuns: readonly PartitionRun[] = [];
const shortestCheckMs = 10;

/** Gives the records of a source their event times, and works out its watermark. */
export class SourceClock implements DriftMember {
  readonly #eventTime: EventTime<unknown>;
  readonly #host: SourceClockHost;
  readonly #clocks: PartitionClocks<unknown>;
  readonly #heardAt = new Map<string, number>();
  readonly #ahead = new Set<string>();
  #group: DriftGroup | undefined;
  #hasEnded = false;
  #check: Subscription | undefined;

  constructor(eventTime: EventTime<unknown>, host: SourceClockHost, restored: Json | undefined, watermark: number) {
    this.#eventTime = eventTime;
    this.#host = host;
    this.#clocks = new PartitionClocks(eventTime.strategy, restored, watermark);
  }

  start(): void {
    const { alignment } = this.#eventTime;
    if (alignment) {
      this.#group = this.#host.shared(
        `drift group ${alignment.group}`,
        () => new DriftGroup(),
        () => {},
      );
      this.#group.add(this);
    }
    // A source without partitions, also one that was restored: its silence begins now.
    this.#heardAt.set('', this.#host.scheduler.now());
    this.#checkLater();
  }

  get watermark(): number {
    return this.#clocks.watermark;
  }

  get isIdle(): boolean {
    return this.#clocks.areIdle;
  }

  get holdsAt(): number | undefined {
    const { watermark, areIdle } = this.#clocks;
    return this.#hasEnded || areIdle || watermark === Number.NEGATIVE_INFINITY ? undefined : watermark;
  }

  stored(): Json {
    return this.#clocks.stored();
  }

  /** The event times of a batch's records. */
  timesOf(values: readonly unknown[], given: readonly number[] | undefined): readonly number[] {
    const { timestamp } = this.#eventTime;
    if (!timestamp) return given ?? new Array<number>(values.length).fill(Number.NaN);
    const times = new Array<number>(values.length);
    for (let i = 0; i < values.length; i++) times[i] = this.#timeOf(values[i], given?.[i] ?? Number.NaN, timestamp);
    return times;
  }

  /** The batch was handled. */
  handled(values: readonly unknown[], times: readonly number[], runs: readonly PartitionRun[] = noRuns): void {
    const now = this.#eventTime.idleAfterMs === undefined ? 0 : this.#host.scheduler.now();
    if (runs.length === 0) this.#saw('', values, times, 0, values.length, now);
    else {
      this.#clocks.remove('');
      let from = 0;
      for (const { partition, end } of runs) {
        this.#saw(partition, values, times, from, end, now);
        from = end;
      }
    }
    this.#moved();
  }

  /** What the source says of one of its partitions. */
  partition(name: string, phase: PartitionPhase): void {
    if (name !== '') this.#clocks.remove('');
    if (phase === 'gone') {
      this.#clocks.remove(name);
      this.#heardAt.delete(name);
      this.#ahead.delete(name);
    } else {
      this.#clocks.of(name).hasEnded = phase === 'ended';
      this.#heardAt.set(name, this.#host.scheduler.now());
    }
    if (phase !== 'reading') this.#moved();
  }

  follow(lowest: number | undefined): void {
    const { alignment } = this.#eventTime;
    if (!alignment) return;
    const limit = lowest === undefined ? Number.POSITIVE_INFINITY : lowest + alignment.maxDriftMs;
    let canHoldParts = false;
    for (const { name, watermark, hasEnded } of this.#clocks.all) {
      const isAhead = watermark > limit && !hasEnded;
      if (isAhead === this.#ahead.has(name)) canHoldParts ||= name !== '';
      else if (name !== '' && this.#host.holdPartition(name, isAhead)) {
        canHoldParts = true;
        if (isAhead) this.#ahead.add(name);
        else this.#ahead.delete(name);
      }
    }
    if (canHoldParts) return;
    const isAhead = this.#clocks.watermark > limit && !this.#hasEnded;
    if (isAhead === this.#ahead.has(this.#host.name)) return;
    if (isAhead) this.#ahead.add(this.#host.name);
    else this.#ahead.delete(this.#host.name);
    this.#host.hold(isAhead);
  }

  status(): SourceTime {
    const { watermark, heldBackBy } = this.#clocks;
    return {
      ...(Number.isFinite(watermark) ? { watermark } : {}),
      ...(heldBackBy === undefined ? {} : { heldBackBy }),
      idle: [...this.#clocks.all].filter(({ isIdle }) => isIdle).map(({ name }) => name || this.#host.name),
      ahead: [...this.#ahead],
    };
  }

  /** The source has completed: it holds nobody back. */
  end(): void {
    this.#hasEnded = true;
    this.close();
    this.#group?.changed(this);
  }

  close(): void {
    this.#check?.unsubscribe();
    this.#check = undefined;
  }

  #timeOf(value: unknown, given: number, timestamp: NonNullable<EventTime<unknown>['timestamp']>): number {
    let time: unknown;
    try {
      time = timestamp(value, given);
    } catch (error) {
      throw this.#wrongTime(`threw: ${messageOf(error)}`, error);
    }
    if (time === undefined) return Number.NaN;
    if (typeof time === 'number' && (Number.isFinite(time) || Number.isNaN(time))) return time;
    throw this.#wrongTime(`answered ${typeof time === 'number' ? time : `a ${typeof time}`}`);
  }

  #wrongTime(what: string, cause?: unknown): UserCodeError {
    return new UserCodeError(
      `assignTimestamps: the function "timestamp" of the source "${this.#host.name}" ${what}. It must answer milliseconds ` +
        'since 1970, or undefined for a record without a time.',
      { cause, context: { source: this.#host.name } },
    );
  }

  #saw(
    partition: string,
    values: readonly unknown[],
    times: readonly number[],
    from: number,
    end: number,
    now: number,
  ): void {
    if (from === end) return;
    this.#clocks.saw(partition, values, times, from, end);
    if (this.#eventTime.idleAfterMs !== undefined) this.#heardAt.set(partition, now);
  }

  #moved(): void {
    this.#clocks.advance();
    this.#host.clockMoved();
    this.#group?.changed(this);
  }

  #checkLater(): void {
    const { idleAfterMs } = this.#eventTime;
    if (idleAfterMs === undefined || this.#hasEnded) return;
    const { scheduler } = this.#host;
    const now = scheduler.now();
    let next = now + idleAfterMs;
    for (const { name, isIdle, hasEnded } of this.#clocks.all) {
      const due = (this.#heardAt.get(name) ?? now) + idleAfterMs;
      // One that is due all the same is not at its end: it is looked at again.
      if (!isIdle && !hasEnded)
        next = Math.min(next, due > now ? due : now + Math.max(shortestCheckMs, idleAfterMs / 4));
    }
    this.#check = scheduler.schedule(() => {
      this.#lookForIdle(idleAfterMs);
      this.#checkLater();
    }, next - now);
  }

  #lookForIdle(idleAfterMs: number): void {
    const now = this.#host.scheduler.now();
    let lags: ReadonlyMap<string, number | undefined> | undefined;
    let hasChanged = false;
    // One that has given nothing yet is silent, too.
    if (this.#clocks.isEmpty) this.#clocks.of('');
    for (const clock of this.#clocks.all) {
      // While nothing is let in, silence says nothing.
      if (this.#host.isHalted || this.#ahead.has(clock.name)) this.#heardAt.set(clock.name, now);
      if (clock.isIdle || clock.hasEnded || now - (this.#heardAt.get(clock.name) ?? now) < idleAfterMs) continue;
      lags ??= lagsOf(this.#host.measures());
      if (!isAtEnd(clock, lags)) continue;
      clock.isIdle = true;
      hasChanged = true;
    }
    if (hasChanged) this.#moved();
  }
}

const lagsOf = (measures: SourceMeasures | undefined) =>
  new Map(measures?.partitions.map(({ name, lag }) => [name, lag] as const));

/** A partition that the source measures has an end; what a source does not measure is pushed, and nothing of it waits. */
function isAtEnd({ name }: PartitionClock, lags: ReadonlyMap<string, number | undefined>): boolean {
  return !lags.has(name) || lags.get(name) === 0;
}
