import { ActorStage } from '../../lib/actor/actor-stage.ts';
import type { Behaviour } from '../../lib/actor/behaviour.ts';
import type { MapKey } from '../../lib/actor/key.ts';
import type { ChainCompactor } from '../../lib/checkpoint/chain-compactor.ts';
import { storeCommitPoint } from '../../lib/checkpoint/commit-point.ts';
import { Coordinator } from '../../lib/checkpoint/coordinator.ts';
import type { Json, Manifest } from '../../lib/checkpoint/manifest.ts';
import type { Final } from '../../lib/checkpoint/open-checkpoint.ts';
import type { CheckpointSink, CheckpointSource } from '../../lib/checkpoint/participants.ts';
import { SegmentEncoder } from '../../lib/checkpoint/segment-encoder.ts';
import type { StoredManifest } from '../../lib/checkpoint/snapshot-store.ts';
import { memoryStore } from '../../lib/checkpoint/store-memory.ts';
import type { CheckpointEvent } from '../../lib/job/handle.ts';
import { type JobSettings, resolveSettings } from '../../lib/job/settings.ts';
import type { MaybePromise } from '../../lib/maybe-promise.ts';
import type { Key } from '../../lib/stream/elements.ts';
import type { Surroundings } from '../../lib/stream/wiring.ts';
import { Gate } from '../../lib/task/gate.ts';
import { restoreActor } from '../../lib/task/restore.ts';
import { ManualScheduler } from '../contract/manual-scheduler.ts';
import { quiet } from '../job/quiet.ts';
import { FailingStore } from './failing-store.ts';

const ref = { job: 'coordinated', task: 'main' };

/** What an actor remembers, in a form that compares. */
export interface Remembered {
  readonly values: readonly (readonly [MapKey, unknown])[];
  readonly timers: readonly (readonly [MapKey, number])[];
}

/** A coordinator with a task around it that has one source, one actor and one sink, on a store that fails as planned. */
export class Coordinated {
  readonly store = new FailingStore(memoryStore().task(ref));
  readonly scheduler = new ManualScheduler();
  readonly events: CheckpointEvent[] = [];
  readonly failures: unknown[] = [];
  readonly warnings: string[] = [];
  /** What the sink was told, such as `commit 3`. */
  readonly sunk: string[] = [];
  /** The positions that the source was told are committed. */
  readonly acknowledged: Json[] = [];
  /** How the next flushes and commits of the sink fare. */
  readonly flushes: (() => MaybePromise<void>)[] = [];
  readonly commits: (() => MaybePromise<void>)[] = [];
  readonly coordinator: Coordinator;
  readonly gate = new Gate(this.scheduler, error => this.failures.push(error));
  readonly stage = actorStage(this.gate);
  position = 0;

  constructor(settings: JobSettings['checkpoint'] = {}) {
    const { checkpoint } = resolveSettings({ checkpoint: { interval: 'off', ...settings } }, 'the spec');
    const encoder = new SegmentEncoder(this.store, this.scheduler, {
      compression: 'none',
      maxBytes: 1_000_000,
      isSynchronous: true,
    });
    const commitPoint = storeCommitPoint(this.store);
    const token = this.store.acquireFence(0) as number;
    this.coordinator = new Coordinator(
      {
        ref,
        scheduler: this.scheduler,
        logger: { ...quiet, warn: (_, message) => this.warnings.push(message) },
        monotonicNow: () => this.scheduler.now(),
        between: work => this.gate.between(work),
        entered: () => this.gate.entered,
        sources: [this.source()],
        sinks: [this.sink()],
        ends: 1,
        finishedNodes: () => [],
        fail: error => {
          this.failures.push(error);
          this.coordinator.close();
        },
        event: event => this.events.push(event),
      },
      {
        store: this.store,
        commitPoint,
        encoder,
        compactor: { consider() {}, close() {} } as unknown as ChainCompactor,
        settings: checkpoint,
      },
      { token, committed: undefined, lastId: 0, stored: [] },
    );
    this.coordinator.start();
  }

  /** One record: `work` changes the actor's state. */
  record(work: (stage: ActorStage) => void = () => {}): void {
    this.gate.enter(() => {
      this.position++;
      work(this.stage);
    });
  }

  set(key: string, value: unknown): void {
    this.record(({ state }) => state.values.set(key, value));
  }

  delete(key: string): void {
    this.record(({ state }) => state.values.delete(key));
  }

  addTimer(key: string, time: number): void {
    this.record(({ state }) => state.timers('event').add(key, time));
  }

  removeTimer(key: string, time: number): void {
    this.record(({ state }) => state.timers('event').remove(key, time));
  }

  /** What became of each checkpoint, such as `committed 3`. */
  get outcomes(): string[] {
    return this.events.map(({ outcome, id }) => `${outcome} ${id}`);
  }

  /** Takes the last checkpoint; the answer's `isDone` turns true. */
  takeFinal(final: Final = { jobFinished: false, closed: true }): { isDone: boolean } {
    const answer = { isDone: false };
    this.coordinator.takeFinal(final, () => {
      answer.isDone = true;
    });
    return answer;
  }

  /** The state as it is now. */
  get live(): Remembered {
    return remembered(this.stage);
  }

  /** The newest committed manifest. */
  get committed(): Manifest | undefined {
    const stored = this.store.manifests() as readonly StoredManifest[];
    return stored.findLast(({ confirmed }) => confirmed)?.manifest;
  }

  /** What a new incarnation would come back with. */
  restored(): Remembered {
    const entry = this.committed?.actors.actor;
    const stage = actorStage(new Gate(this.scheduler, error => this.failures.push(error)));
    if (entry) void restoreActor(stage, entry, { store: this.store, ref });
    return remembered(stage);
  }

  private source(): CheckpointSource {
    return {
      name: 'source',
      entry: () => ({ position: this.position, finished: false, watermark: null }),
      barrier: id => {
        this.coordinator.captured('actor', id, this.stage.state.capture());
        this.sunk.push(`barrier ${id}`);
        this.coordinator.arrived(id);
      },
      committed: (_, position) => this.acknowledged.push(position),
    };
  }

  private sink(): CheckpointSink {
    return {
      name: 'sink',
      flush: id => {
        this.sunk.push(`flush ${id}`);
        const fate = this.flushes.shift()?.();
        return fate === undefined ? `handle ${id}` : Promise.resolve(fate).then(() => `handle ${id}`);
      },
      commit: (id, handle) => {
        this.sunk.push(`commit ${id} of ${handle}`);
        return this.commits.shift()?.();
      },
      abandon: id => {
        this.sunk.push(`abandon ${id}`);
      },
    };
  }
}

/** Lets everything run that waits for nothing but its turn. */
export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function remembered({ state }: ActorStage): Remembered {
  return {
    values: [...state.values.cells()].map(({ key, value }) => [key, value] as const),
    timers: [...state.timers('event')].map(({ key, time }) => [key, time] as const),
  };
}

const behaviour: Behaviour<unknown, unknown, never, Key> = {
  initial: () => 0,
  receive() {},
  onTimer() {},
};

function actorStage(gate: Gate): ActorStage {
  const surroundings: Pick<Surroundings, 'freezesState'> = { freezesState: false };
  return new ActorStage(
    'actor',
    behaviour as ConstructorParameters<typeof ActorStage>[1],
    true,
    gate,
    surroundings as Surroundings,
  );
}
