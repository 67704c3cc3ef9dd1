import type { ActorStage } from '../actor/actor-stage.ts';
import type { Json, Manifest } from '../checkpoint/manifest.ts';
import type { ActorCapture } from '../checkpoint/participants.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Channel } from '../scale/channel.ts';
import { channelNodes, channelsOf } from '../scale/channels.ts';
import { keyGuard } from '../scale/key-guard.ts';
import { isSink, type SinkNode } from '../stream/end.ts';
import type { SourceNode } from '../stream/from.ts';
import { hasKeyedState, type WirableNode } from '../stream/node.ts';
import type { Stage } from '../stream/stage.ts';
import { type Surroundings, Wiring } from '../stream/wiring.ts';
import { EndStage } from './end-stage.ts';
import type { Gate } from './gate.ts';
import { verifyGraph } from './graph.ts';
import { notTaken, notTakenError } from './not-taken.ts';
import { SinkRunner } from './sink-runner.ts';
import type { Source } from './source.ts';
import { SourceRunner } from './source-runner.ts';
import type { TaskServices } from './task-services.ts';
import { WiredChannel } from './wired-channel.ts';

/** What a graph tells the task that runs it, and what it asks of it. */
export interface GraphEvents {
  /** Barrier `id` has passed one more of the ends. */
  arrived(id: number): void;
  /** One more of the ends is at this rest; `isChannel`: that of a channel, of which the other tasks do not know yet. */
  rested(rest: string, isChannel: boolean): void;
  /** Every stream of the job has completed. */
  completed(): void;
  /** What goes into a channel has completed. */
  channelCompleted(): void;
  /** An actor's state at a barrier, taken before the barrier is passed on. */
  captured(actor: string, barrier: number, capture: ActorCapture): void;
  /** A stage holds its input back, or does so no longer. */
  holdsInput(isHeld: boolean): void;
  checkpoint(): void;
  /** Whether what decides about checkpoints has told this position to the source's own system. */
  hasPublished(position: Json): boolean;
  /** The rest that the task is on its way to, or at. */
  currentRest(): string | undefined;
  /** Another task that had rested goes on. */
  resumed(task: number, rest: string): void;
}

/** The graph of a job as one incarnation of a task runs it: its stages, and what feeds them and takes what they give. */
export class TaskGraph {
  /** All nodes, inputs before what reads them. */
  readonly nodes: readonly WirableNode[];
  /** Of `repartition` nodes, where tasks are several. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly actors = new Map<string, ActorStage>();
  readonly sources: SourceRunner[] = [];
  /** Those that the job names. */
  readonly sinks: SinkRunner[] = [];
  readonly wiredChannels: WiredChannel[] = [];
  private readonly looseSinks: SinkRunner[] = [];
  private readonly gate: Gate;
  private readonly services: TaskServices;
  private readonly events: GraphEvents;
  private readonly streams: readonly WirableNode[];
  private readonly wiring: Wiring;
  private readonly restoredFinished = new Set<string>();
  private readonly finished = new Set<string>();
  private openStreams: number;

  /** Wires nothing yet. Throws `JobDefinitionError` or `LiftError`. */
  constructor(services: TaskServices, streams: readonly WirableNode[], gate: Gate, events: GraphEvents) {
    this.services = services;
    this.streams = streams;
    this.gate = gate;
    this.events = events;
    this.openStreams = streams.length;
    this.wiring = new Wiring(gate, this.surroundings(), streams);
    this.nodes = this.wiring.nodes;
    verifyGraph(services.ref.job, this.nodes);
    this.channels = channelsOf(services.ref.job, services.layout, this.nodes);
  }

  /** Also those that stand for channels. */
  get allNodes(): readonly WirableNode[] {
    return [...this.nodes, ...channelNodes(this.channels)];
  }

  get hasKeyedState(): boolean {
    return hasKeyedState(this.nodes);
  }

  /** Makes the stages; `finished`: the nodes that the restored checkpoint says had completed. */
  wire(finished: readonly string[] = []): void {
    for (const id of finished) {
      this.restoredFinished.add(id);
      this.finished.add(id);
    }
    const completed = () => {
      this.openStreams--;
      if (this.openStreams === 0) this.events.completed();
    };
    for (const node of this.streams) this.wiring.connect(node, this.end({ completed }));
    this.wireLooseSides();
    this.sortActors();
  }

  /** The nodes that have completed, by id. */
  get finishedNodes(): readonly string[] {
    return [...this.finished];
  }

  /** How often each barrier arrives. */
  get ends(): number {
    return this.streams.length + this.looseSinks.length + this.wiredChannels.length;
  }

  get allSinks(): readonly SinkRunner[] {
    return [...this.sinks, ...this.looseSinks, ...this.channelSinks];
  }

  /** State and positions that nothing takes up would be lost without a word. */
  verifyRestorable(manifest: Manifest): void {
    const { settings, ref, logger } = this.services;
    const dropped = notTaken(manifest, {
      actors: new Set(this.actors.keys()),
      sources: new Set(this.sources.map(({ name }) => name)),
      sinks: new Set([...this.sinks, ...this.channelSinks].map(({ name }) => name)),
    });
    if (dropped.length === 0) return;
    if (!settings.allowDroppedState) throw notTakenError(ref, manifest, dropped);
    logger.warn({ dropped, checkpoint: manifest.id }, 'restored without some state');
  }

  /** Lets everything in but what sources read; `resumes`: the rest from which this task goes on. */
  open(resumes: string | undefined): void {
    if (resumes !== undefined) {
      this.gate.between(() => {
        for (const { pack } of this.wiredChannels) pack.resumed(resumes);
      });
    }
    for (const stage of this.actors.values()) stage.open();
    this.wiring.open(work => this.gate.between(work));
    // Every input says first how far it was: what one source reads at once must not meet another as if it began.
    for (const source of this.sources) source.restoreMarks();
  }

  start(): void {
    for (const source of this.sources) source.start();
  }

  /** Ends what the stages have under way; sources and sinks are closed by `closeEnds`. Throws what a native operator throws. */
  close(): void {
    for (const stage of this.actors.values()) stage.close();
    this.wiring.close();
  }

  closeEnds(): MaybePromise<unknown>[] {
    return [...this.sources, ...this.allSinks].map(end => end.close());
  }

  private get channelSinks(): SinkRunner[] {
    return this.wiredChannels.map(({ sink }) => sink);
  }

  private end({ completed, isChannel = false }: { completed(): void; isChannel?: boolean }): EndStage {
    return new EndStage(this.gate, {
      arrived: id => this.events.arrived(id),
      rested: rest => this.events.rested(rest, isChannel),
      completed,
    });
  }

  /** Wired from the ends, they are told to people in the order in which records pass them. */
  private sortActors(): void {
    const wired = new Map(this.actors);
    this.actors.clear();
    for (const { kind, name = '' } of this.nodes) {
      const stage = kind === 'actor' ? wired.get(name) : undefined;
      if (stage) this.actors.set(name, stage);
    }
  }

  /** Side outputs that no stream reads go to the application. */
  private wireLooseSides(): void {
    const { outputs, logger } = this.services;
    for (const stage of this.actors.values()) {
      for (const name of stage.looseSides()) {
        const runner = new SinkRunner(outputs.sinkFor({ name }), this.gate, this.end({ completed() {} }), logger);
        this.looseSinks.push(runner);
        stage.addSide(name, runner);
      }
    }
  }

  private contextOf(source: Source<unknown>): ConstructorParameters<typeof SourceRunner>[3] {
    const { settings, logger, ref, shared, layout } = this.services;
    return {
      job: ref.job,
      task: ref.task,
      slice: layout && {
        index: layout.index,
        count: layout.count,
        mayGrow: !this.hasKeyedState,
        partitions: layout.partitions,
      },
      logger: logger.child({ source: source.name }),
      shared,
      takesCheckpoints: settings.checkpoint.interval !== 'off',
      hasPublished: (position: Json) => this.events.hasPublished(position),
      checkpoint: () => this.events.checkpoint(),
    };
  }

  private surroundings(): Surroundings {
    const { settings, outputs, logger, ref, layout } = this.services;
    return {
      alignment: settings.checkpoint.mode,
      freezesState: settings.freezeState,
      source: (node, out) => {
        const { source } = node as SourceNode;
        this.sources.push(new SourceRunner(source, out, this.gate, this.contextOf(source)));
      },
      sink: (node, out) => {
        const { target } = node as SinkNode;
        const sink = isSink(target) ? target : outputs.sinkFor(target);
        const runner = new SinkRunner(sink, this.gate, out, logger);
        this.sinks.push(runner);
        return runner;
      },
      actor: (stage, id) => {
        stage.isFinished = this.restoredFinished.has(id);
        stage.whenFinished = () => this.finished.add(id);
        this.actors.set(stage.name, stage);
      },
      channel: ({ name = '' }, out) => this.wireChannel(name, out),
      ...(layout && layout.count > 1
        ? { keyGuard: (node, actor) => keyGuard(this.gate, { node, actor, layout, job: ref.job }) }
        : {}),
      captured: (actor, barrier, capture) => this.events.captured(actor, barrier, capture),
      holdInput: isHeld => this.events.holdsInput(isHeld),
      random: () => this.services.random(),
      wasFinished: id => this.restoredFinished.has(id),
      finished: id => this.finished.add(id),
    };
  }

  private wireChannel(name: string, out: Stage<unknown>): Stage<unknown> {
    const { logger, layout } = this.services;
    const channel = this.channels.get(name);
    if (!channel || !layout) return out;
    const wired = new WiredChannel(channel, {
      gate: this.gate,
      layout,
      logger,
      name,
      out,
      end: this.end({ isChannel: true, completed: () => this.events.channelCompleted() }),
      contextOf: source => this.contextOf(source),
      currentRest: () => this.events.currentRest(),
      resumed: (task, rest) => this.events.resumed(task, rest),
    });
    this.wiredChannels.push(wired);
    this.sources.push(wired.source);
    return wired.pack;
  }
}
