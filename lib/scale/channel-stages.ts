import { InternalError, LiftError } from '../errors.ts';
import { Barrier, type Mark, Rest } from '../stream/elements.ts';
import { PassStage, type Scope, type Stage } from '../stream/stage.ts';
import type { Channel, Packed } from './channel.ts';
import { packEnd, packRecord, packRest, packResumed, packWatermark, unpacked } from './channel-codec.ts';
import type { ChannelTable } from './channel-table.ts';

/** Puts what reaches a `repartition` into its channel: records to the task of their key; how far this task is, to all. */
export class PackStage implements Stage<unknown> {
  private readonly scope: Scope;
  private readonly out: Stage<Packed>;
  private readonly channel: Channel;
  private readonly name: string;
  private readonly task: number;
  private readonly tasks: number;
  private watermark = Number.NEGATIVE_INFINITY;
  private isIdle = false;
  private isNews = false;
  private hasCompleted = false;

  constructor(scope: Scope, out: Stage<Packed>, channel: Channel, at: { name: string; task: number; tasks: number }) {
    this.scope = scope;
    this.out = out;
    this.channel = channel;
    this.name = at.name;
    this.task = at.task;
    this.tasks = at.tasks;
  }

  next(value: unknown): void {
    const { scope } = this;
    if (scope.hasFailed) return;
    const { key } = scope;
    if (key === undefined) {
      scope.fail(
        new LiftError(
          `repartition("${this.name}") needs a key, but a native operator before it emitted a value without one at its ` +
            'completion. Put keyBy() behind that operator.',
        ),
      );
      return;
    }
    let packed: Packed;
    try {
      packed = { to: this.channel.taskOf(key), bytes: packRecord(key, scope.timestamp, value) };
    } catch (error) {
      scope.fail(error, { operator: this.name });
      return;
    }
    this.out.next(packed);
  }

  /** Said at each barrier, inside the checkpoint that has what came before: a task that fails between them takes nothing back. */
  mark(mark: Mark): void {
    if (this.scope.hasFailed) return;
    if (mark instanceof Barrier) {
      this.tellWatermark();
      this.out.mark(mark);
    } else if (mark instanceof Rest) {
      if (!this.hasCompleted) {
        this.tellWatermark();
        this.toAll(packRest(this.task, mark.id));
      }
      this.out.mark(mark);
    } else if (mark.timestamp < Number.POSITIVE_INFINITY) {
      this.watermark = Math.max(this.watermark, mark.timestamp);
      this.isIdle = mark.isIdle === true;
      this.isNews = true;
    }
  }

  /** Said before anything else, by a task that had rested. */
  resumed(rest: string): void {
    this.toAll(packResumed(this.task, rest));
  }

  error(error: unknown): void {
    this.out.error(error);
  }

  complete(): void {
    if (this.scope.hasFailed || this.hasCompleted) return;
    this.hasCompleted = true;
    this.isNews = false;
    this.toAll(packEnd(this.task));
    this.out.complete();
  }

  private tellWatermark(): void {
    if (this.isNews) this.toAll(packWatermark(this.task, this.watermark, this.isIdle));
    this.isNews = false;
  }

  private toAll(bytes: Uint8Array): void {
    for (let to = 0; to < this.tasks; to++) {
      if (this.scope.hasFailed) return;
      this.out.next({ to, bytes });
    }
  }
}

/** What becomes of those who write into a channel. */
export interface ChannelEvents {
  /** The table has changed. */
  moved(): void;
  /** A task that had rested goes on: what follows is no part of that savepoint. */
  resumed(task: number, rest: string): void;
}

/** Takes records out of a channel, with their keys and times, and tells how far those are who write into it. */
export class UnpackStage extends PassStage<unknown, unknown> {
  private readonly table: ChannelTable;
  private readonly events: ChannelEvents;

  constructor(scope: Scope, out: Stage<unknown>, table: ChannelTable, events: ChannelEvents) {
    super(scope, out);
    this.table = table;
    this.events = events;
  }

  next(bytes: unknown): void {
    const { scope } = this;
    if (scope.hasFailed) return;
    let message: ReturnType<typeof unpacked>;
    try {
      message = unpacked(bytes as Uint8Array);
    } catch (cause) {
      scope.fail(new InternalError('A channel holds something that no task of this job has written.', { cause }));
      return;
    }
    if (message.is === 'record') {
      const outer = { key: scope.key, timestamp: scope.timestamp };
      scope.key = message.key;
      scope.timestamp = message.timestamp;
      this.out.next(message.value);
      scope.key = outer.key;
      scope.timestamp = outer.timestamp;
      return;
    }
    const { table, events } = this;
    if (message.is === 'end') table.ended(message.task);
    else if (message.is === 'rest') table.rested(message.task, message.rest);
    else if (message.is === 'resumed') {
      table.resumed(message.task);
      events.resumed(message.task, message.rest);
      return;
    } else table.moved(message.task, message.watermark, message.isIdle);
    events.moved();
  }
}
