import { createHash } from 'node:crypto';
import type { ActorStage } from '../actor/actor-stage.ts';
import type { ActorCapture } from '../checkpoint/participants.ts';
import { InternalError } from '../errors.ts';
import type { AlignmentMode } from './alignment.ts';
import type { WirableNode } from './node.ts';
import { FanOut, type Scope, type Stage } from './stage.ts';

/** How the outside is reached from a graph: a task gives its own, a detached subscription a smaller one. */
export interface Surroundings {
  readonly alignment: AlignmentMode;
  /** A source node was wired: `out` is to be fed once everything is wired. */
  source(node: WirableNode, out: Stage<unknown>, id: string): void;
  /** A sink node was wired: answers the stage that takes its input and passes it on to `out`. */
  sink(node: WirableNode, out: Stage<unknown>): Stage<unknown>;
  /** An actor was wired. */
  actor(stage: ActorStage, id: string): void;
  /** Where tasks are several: the stage that puts a `repartition` node's input into its channel, whose output feeds `out`. */
  channel?(node: WirableNode, out: Stage<unknown>): Stage<unknown>;
  /** What stands in front of a keyed actor where the keys of a job are spread over tasks. */
  keyGuard?(node: WirableNode, actor: ActorStage): Stage<unknown> | undefined;
  /** An actor's state at a barrier, taken before the barrier is passed on. */
  captured(actor: string, barrier: number, capture: ActorCapture): void;
  /** While any stage holds its input back, the sources are paused; told once for each change. */
  holdInput(isHeld: boolean): void;
  /** From 0 up to 1. */
  random(): number;
  /** Whether states that actors return are frozen. */
  readonly freezesState: boolean;
  /** Whether the restored checkpoint says that this node had completed. */
  wasFinished(id: string): boolean;
  /** A node completed: the next manifest says so. */
  finished(id: string): void;
}

/** Wires a graph for one task: every node once, however many streams read it; opens nothing. */
export class Wiring {
  readonly scope: Scope;
  readonly surroundings: Surroundings;
  private readonly consumers = new Map<WirableNode, number>();
  private readonly counted = new Set<WirableNode>();
  private readonly ids = new Map<WirableNode, string>();
  private readonly fanOuts = new Map<WirableNode, FanOut<unknown>>();
  private readonly stages = new Map<WirableNode, unknown>();
  private readonly whenOpen: (() => void)[] = [];
  private readonly whenClosed: (() => void)[] = [];

  constructor(scope: Scope, surroundings: Surroundings, ends: readonly WirableNode[]) {
    this.scope = scope;
    this.surroundings = surroundings;
    const taken = new Set<string>();
    const namesBelow = nearestNamesBelow(ends);
    for (const end of ends) this.visit(end, taken, namesBelow);
    for (const end of ends) {
      this.consumers.set(end, (this.consumers.get(end) as number) + 1);
      this.count(end);
    }
  }

  /** All nodes, inputs before what reads them. */
  get nodes(): readonly WirableNode[] {
    return [...this.ids.keys()];
  }

  /** Feeds `out` with the output of `node`. */
  connect(node: WirableNode, out: Stage<unknown>): void {
    const consumers = this.consumers.get(node);
    if (consumers === undefined) throw new InternalError(`${node.kind} is not part of the graph that is being wired`);
    if (consumers === 1) {
      node.wire(this, out, this.idOf(node));
      return;
    }
    const shared = this.fanOuts.get(node);
    if (shared) {
      shared.outs.push(out);
      return;
    }
    const fanOut = new FanOut<unknown>(this.scope);
    fanOut.outs.push(out);
    this.fanOuts.set(node, fanOut);
    node.wire(this, fanOut, this.idOf(node));
  }

  /** Whether exactly one stream reads the node, so that its stage may be merged with the reader's. */
  hasOneConsumer(node: WirableNode): boolean {
    return this.consumers.get(node) === 1;
  }

  /** The one stage of a node, made at first use: for nodes that are reached from two sides (an actor and its side outputs). */
  stageOf<S>(node: WirableNode, make: () => S): S {
    if (!this.stages.has(node)) this.stages.set(node, make());
    return this.stages.get(node) as S;
  }

  /** Ties what a manifest says to a node: stable while the streams that lead to the node keep their form. */
  idOf(node: WirableNode): string {
    return this.ids.get(node) as string;
  }

  /** Runs `work` inside the gate when the task opens, before the first element. */
  onOpen(work: () => void): void {
    this.whenOpen.push(work);
  }

  /** Runs what waits for the task to open, each through `run`. */
  open(run: (work: () => void) => void): void {
    for (const work of this.whenOpen.splice(0)) run(work);
  }

  /** Runs `work` when the task has ended, however it did. */
  onClose(work: () => void): void {
    this.whenClosed.push(work);
  }

  /** Gives back what the stages hold; throws the first error of user code that runs on the way (`finalize`). */
  close(): void {
    const failures: unknown[] = [];
    for (const work of this.whenClosed.splice(0)) {
      try {
        work();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /**
   * Names a node by what leads to it and by what reads it, so that a manifest's word about it never meets another node: not
   * when branches are returned in another order, nor when one is added.
   */
  private visit(node: WirableNode, taken: Set<string>, namesBelow: (node: WirableNode) => string): void {
    if (this.ids.has(node)) return;
    for (const input of node.inputs) this.visit(input, taken, namesBelow);
    const from = node.inputs.map(input => this.idOf(input)).join('+');
    const base = isNamed(node) ? `${node.kind}:${node.name}` : shortened(`${from}>${node.kind}${namesBelow(node)}`);
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}#${n}`;
    taken.add(id);
    this.ids.set(node, id);
    this.consumers.set(node, 0);
  }

  /** Counts who reads each node's main output; a side output is read at the actor's stage instead. */
  private count(node: WirableNode): void {
    if (this.counted.has(node)) return;
    this.counted.add(node);
    for (const input of node.inputs) {
      if (node.kind !== 'side') this.consumers.set(input, (this.consumers.get(input) as number) + 1);
      this.count(input);
    }
  }
}

/** A node behind branches that join again and again has a way to it that doubles with each. */
function shortened(id: string): string {
  return id.length <= 200 ? id : `${id.slice(0, 40)}…${createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}

function isNamed(node: WirableNode): boolean {
  return node.kind === 'actor' || node.kind === 'sink' || node.kind === 'source' || node.kind === 'repartition';
}

/** The actors and sinks that read a node first, as a part of its id. */
function nearestNamesBelow(ends: readonly WirableNode[]): (node: WirableNode) => string {
  const readers = new Map<WirableNode, Set<WirableNode>>();
  const visit = (node: WirableNode): void => {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known) known.add(node);
      else {
        readers.set(input, new Set([node]));
        visit(input);
      }
    }
  };
  for (const end of ends) visit(end);
  // Remembered: a graph whose branches join again and again has more ways through it than nodes.
  const known = new Map<WirableNode, ReadonlySet<string>>();
  const names = (node: WirableNode): ReadonlySet<string> => {
    const before = known.get(node);
    if (before) return before;
    const found = new Set<string>();
    known.set(node, found);
    for (const reader of readers.get(node) ?? []) {
      for (const name of isNamed(reader) ? [`${reader.kind}:${reader.name}`] : names(reader)) found.add(name);
    }
    return found;
  };
  return node => {
    const below = [...names(node)].sort();
    return below.length > 0 ? `(${below.join(',')})` : '';
  };
}
