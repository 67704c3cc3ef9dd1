import { ActorStage } from '../../lib/actor/actor-stage.ts';
import type { ActorEntry, SegmentRef } from '../../lib/checkpoint/manifest.ts';
import type { ActorCapture } from '../../lib/checkpoint/participants.ts';
import { type SealedSegment, SegmentWriter, sealSegment } from '../../lib/checkpoint/segment.ts';
import type { TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import type { Behaviour, Key } from '../../lib/index.ts';
import { Barrier, Watermark } from '../../lib/stream/elements.ts';
import type { Scope } from '../../lib/stream/stage.ts';
import type { Surroundings } from '../../lib/stream/wiring.ts';
import { restoreActor } from '../../lib/task/restore.ts';

type AnyBehaviour = Behaviour<unknown, unknown, unknown, Key | undefined>;

/** One actor, driven by hand: records, watermarks, the clock, checkpoints that commit or do not, and crashes. */
export class DrivenActor {
  /** The task's clock, in ms. */
  now = 1_000;
  stage: ActorStage;
  error: unknown;
  /** What was committed: segments, oldest first, and the watermark. */
  chain: SegmentRef[] = [];
  readonly #segments = new Map<string, SealedSegment>();
  #behaviour: AnyBehaviour;
  #version = 1;
  #watermark = Number.NEGATIVE_INFINITY;
  #captured: ActorCapture | undefined;
  #committedWatermark = Number.NEGATIVE_INFINITY;
  readonly #scope: Scope;

  constructor(behaviour: unknown) {
    this.#behaviour = behaviour as AnyBehaviour;
    this.#scope = {
      timestamp: Number.NaN,
      key: undefined,
      hasFailed: false,
      scheduler: { now: () => this.now, schedule: () => ({ unsubscribe() {} }) } as never,
      fail: error => {
        this.error = error;
      },
      enter: work => work(),
    };
    this.stage = this.#begun();
  }

  record(key: Key, value: unknown, timestamp = Number.NaN): void {
    this.#scope.key = key;
    this.#scope.timestamp = timestamp;
    this.stage.next(value);
  }

  watermark(time: number): void {
    this.#watermark = time;
    this.stage.mark(new Watermark(time));
  }

  /** A checkpoint that commits, or is abandoned; answers what was written: keys put and removed. */
  checkpoint(commits = true): number {
    this.stage.mark(new Barrier(1));
    const capture = this.#captured as ActorCapture;
    const writer = new SegmentWriter();
    while (capture.encode(writer, 3));
    if (!commits) {
      capture.abandon();
      return 0;
    }
    if (capture.isFull) this.chain = [];
    let written = 0;
    for (const { raw, entries } of writer.finish()) {
      const sealed = sealSegment(raw, { compression: 'none', sync: true }) as SealedSegment;
      const name = `${this.#segments.size}`;
      this.#segments.set(name, sealed);
      const kind = capture.isFull ? 'full' : 'delta';
      this.chain.push({ name, kind, bytes: sealed.bytes.length, entries, checksum: sealed.checksum });
      written += entries;
    }
    this.#version = capture.version;
    capture.commit();
    this.#committedWatermark = this.#watermark;
    return written;
  }

  /** Restores what was committed, into another version of the behaviour where one is given. */
  crash(behaviour: unknown = this.#behaviour): void {
    this.#behaviour = behaviour as AnyBehaviour;
    this.stage = this.#begun();
    const entry: ActorEntry = { version: this.#version, keys: 0, segments: this.chain };
    const store = { getSegment: (name: string) => this.#segments.get(name)?.bytes } as unknown as TaskStore;
    if (this.chain.length > 0) restoreActor(this.stage, entry, { store, ref: { job: 'driven', task: 'main' } });
    this.#watermark = this.#committedWatermark;
    if (this.#watermark > Number.NEGATIVE_INFINITY) this.stage.mark(new Watermark(this.#watermark));
  }

  /** Keys and entries in memory, those among them that have expired. */
  get held(): number {
    const { values, entries } = this.stage.state;
    return values.size + entries.states.reduce((sum, state) => sum + [...entries.all(state)].length, 0);
  }

  #begun(): ActorStage {
    const surroundings = {
      freezesState: true,
      captured: (_: string, __: number, capture: ActorCapture) => {
        this.#captured = capture;
      },
    } as unknown as Surroundings;
    return new ActorStage('driven', this.#behaviour, true, this.#scope, surroundings);
  }
}
