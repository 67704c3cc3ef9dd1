import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { SnapshotStore, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { FencedError, StoreRefusedError, StoreUnavailableError } from '../../lib/errors.ts';
import { andThen } from '../../lib/maybe-promise.ts';

/** What a store is asked for; a fault can be planned at each. */
export const storeSteps = [
  'acquireFence',
  'manifests',
  'getSegment',
  'putSegment',
  'prepare',
  'confirm',
  'collect',
] as const;
export type StoreStep = (typeof storeSteps)[number];

/**
 * `refuses`: nothing happens, and the answer is an error that may pass; `forbids`: one that does not. `loses the answer`: it
 * happens, and the answer is an error. `never answers`: nothing happens. `dies before`, `dies after`: the process is gone
 * from then on. A promise: it happens when that resolves.
 */
export const faults = [
  'refuses',
  'forbids',
  'fences',
  'loses the answer',
  'never answers',
  'dies before',
  'dies after',
] as const;
export type StoreFault = (typeof faults)[number] | Promise<void>;

/** Faults that a spec has planned, by step. */
export type FaultPlan = Map<StoreStep, (StoreFault | undefined)[]>;

/** The snapshots of one task as one process sees them, with faults where a spec plans them. */
export class FailingStore implements TaskStore {
  /** What was asked for, in order. */
  readonly asked: StoreStep[] = [];
  /** Whether the process is gone: then nothing that it asks for happens or is answered. */
  isDead = false;
  /** The newest fence token that this process was given. */
  token = 0;
  /** The checkpoint that this incarnation prepared last. */
  lastPrepared: number | undefined;
  private readonly store: TaskStore;
  private readonly planned: FaultPlan;

  constructor(store: TaskStore, planned: FaultPlan = new Map()) {
    this.store = store;
    this.planned = planned;
  }

  /** The next calls of this step fare so, one after another; `undefined`: well. */
  plan(step: StoreStep, ...faults: (StoreFault | undefined)[]): void {
    this.planned.set(step, [...(this.planned.get(step) ?? []), ...faults]);
  }

  acquireFence(above: number): ReturnType<TaskStore['acquireFence']> {
    this.lastPrepared = undefined;
    return this.step('acquireFence', () =>
      andThen(this.store.acquireFence(above), token => {
        this.token = token;
        return token;
      }),
    );
  }

  fence(): ReturnType<TaskStore['fence']> {
    return this.store.fence();
  }

  putSegment(token: number, name: string, bytes: Uint8Array): ReturnType<TaskStore['putSegment']> {
    return this.step('putSegment', () => this.store.putSegment(token, name, bytes));
  }

  getSegment(name: string): ReturnType<TaskStore['getSegment']> {
    return this.step('getSegment', () => this.store.getSegment(name));
  }

  prepare(token: number, manifest: Manifest): ReturnType<TaskStore['prepare']> {
    this.lastPrepared = manifest.id;
    return this.step('prepare', () => this.store.prepare(token, manifest));
  }

  confirm(token: number, id: number, preparedBy?: number): ReturnType<TaskStore['confirm']> {
    return this.step('confirm', () => this.store.confirm(token, id, preparedBy));
  }

  manifests(): ReturnType<TaskStore['manifests']> {
    return this.step('manifests', () => this.store.manifests());
  }

  collect(token: number, ids: readonly number[]): ReturnType<TaskStore['collect']> {
    return this.step('collect', () => this.store.collect(token, ids));
  }

  notes(): ReturnType<TaskStore['notes']> {
    return this.isDead ? (never() as ReturnType<TaskStore['notes']>) : this.store.notes();
  }

  putNote(name: string, text: string): ReturnType<TaskStore['putNote']> {
    return this.isDead ? (never() as ReturnType<TaskStore['putNote']>) : this.store.putNote(name, text);
  }

  removeNote(name: string): ReturnType<TaskStore['removeNote']> {
    return this.isDead ? (never() as ReturnType<TaskStore['removeNote']>) : this.store.removeNote(name);
  }

  clear(token: number): ReturnType<TaskStore['clear']> {
    return this.store.clear(token);
  }

  private step<R>(step: StoreStep, work: () => R): R {
    if (this.isDead) return never() as R;
    this.asked.push(step);
    const fault = this.planned.get(step)?.shift();
    if (fault === undefined) return work();
    if (fault instanceof Promise) return fault.then(() => (this.isDead ? never() : work())) as R;
    switch (fault) {
      case 'refuses':
        throw new StoreUnavailableError(`${step} is refused for now`);
      case 'forbids':
        throw new StoreRefusedError(`${step} is forbidden`);
      case 'fences':
        throw new FencedError(`${step} came from an incarnation that has been taken over`);
      case 'loses the answer':
        work();
        throw new StoreUnavailableError(`the answer to ${step} was lost`);
      case 'never answers':
        return never() as R;
      case 'dies after':
        work();
        this.isDead = true;
        return never() as R;
      case 'dies before':
        this.isDead = true;
        return never() as R;
    }
  }
}

/** An answer that never comes; one for each call, so that nothing holds who waits for it. */
const never = (): Promise<never> => new Promise(() => {});

/** A store whose task is `task`; of the kind 'memory', so that it is asked synchronously. */
export function storeOf(task: TaskStore): SnapshotStore {
  return {
    kind: 'memory',
    location: 'memory:',
    check: () => [],
    task: () => task,
    tasks: () => [],
    close() {},
  };
}
