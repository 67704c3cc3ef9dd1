import type { TaskLayout } from '../checkpoint/manifest.ts';
import type { Logger } from '../observe/logger.ts';
import type { Channel } from '../scale/channel.ts';
import { channelSource } from '../scale/channel-source.ts';
import { PackStage, UnpackStage } from '../scale/channel-stages.ts';
import { ChannelTable } from '../scale/channel-table.ts';
import type { Stage } from '../stream/stage.ts';
import type { EndStage } from './end-stage.ts';
import type { Gate } from './gate.ts';
import type { Sink } from './sink.ts';
import { SinkRunner } from './sink-runner.ts';
import type { Source } from './source.ts';
import { SourceRunner } from './source-runner.ts';

/** What a channel needs of the task that it is a part of. */
export interface ChannelPlace {
  readonly gate: Gate;
  readonly layout: TaskLayout;
  readonly logger: Logger;
  /** The name that `repartition` was given. */
  readonly name: string;
  /** Takes what comes out of the channel. */
  readonly out: Stage<unknown>;
  /** Answers for what was put into it. */
  readonly end: EndStage;
  contextOf(source: Source<unknown>): ConstructorParameters<typeof SourceRunner>[3];
  /** The rest that the task is on its way to, or at. */
  currentRest(): string | undefined;
  /** Another task that had rested goes on. */
  resumed(task: number, rest: string): void;
}

/** One channel of a running task: what it writes to all tasks, and what it reads of all of them. */
export class WiredChannel {
  readonly pack: PackStage;
  readonly sink: SinkRunner;
  readonly source: SourceRunner;
  private readonly table: ChannelTable;
  private readonly place: ChannelPlace;
  private passed: string | undefined;

  constructor(channel: Channel, place: ChannelPlace) {
    const { gate, layout, logger, name, out, end } = place;
    this.place = place;
    this.table = new ChannelTable(layout.count);
    const moved = () => this.moved();
    const from = channelSource(channel, this.table, moved) as Source<unknown>;
    const unpack = new UnpackStage(gate, out, this.table, {
      moved,
      resumed: (task, rest) => place.resumed(task, rest),
    });
    this.sink = new SinkRunner(channel.sink as Sink<unknown>, gate, end, logger);
    this.source = new SourceRunner(from, unpack, gate, place.contextOf(from));
    this.pack = new PackStage(gate, this.sink, channel, { name, task: layout.index, tasks: layout.count });
  }

  /** Says in its stage that nothing comes for this rest, once all who write into it have said so; inside the gate. */
  passRest(rest: string): void {
    if (rest === this.passed || !(this.source.isFinished || this.table.haveAllRested(rest))) return;
    this.passed = rest;
    this.source.passRest(rest);
  }

  private moved(): void {
    const { table, source, place } = this;
    if (table.haveAllEnded) source.complete();
    else source.moved(table.watermark, table.isIdle);
    const rest = place.currentRest();
    if (rest !== undefined) place.gate.between(() => this.passRest(rest));
  }
}
