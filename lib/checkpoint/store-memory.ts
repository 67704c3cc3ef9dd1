import { decodeManifest, segmentsOf } from './manifest.ts';
import type { SnapshotStore, StoredManifest, TaskNote, TaskRef, TaskStore } from './snapshot-store.ts';
import {
  checkFence,
  checkNoteName,
  checkSegmentName,
  encodeToPrepare,
  goesBack,
  isOvertaken,
  type KeptManifest,
  manifestName,
  newestOf,
  notPrepared,
  planCollection,
  preparedTwice,
  segmentExists,
} from './store-rules.ts';

interface KeptText extends KeptManifest {
  readonly text: string;
  isConfirmed: boolean;
}

/**
 * A snapshot store in memory, for tests: it answers at once, never with a promise, so whole checkpoints run in virtual time.
 * Several incarnations of a task may share one; nothing outlives the process.
 */
export function memoryStore(): SnapshotStore {
  const tasks = new Map<string, MemoryTask>();
  return {
    kind: 'memory',
    location: 'memory:',
    check: () => [{ level: 'info', message: 'State is kept in memory only: it does not outlive the process.' }],
    task(ref) {
      const name = JSON.stringify([ref.job, ref.task]);
      const task = tasks.get(name) ?? new MemoryTask(ref);
      tasks.set(name, task);
      return task;
    },
    tasks: () => [...tasks.values()].filter(task => task.fence() > 0).map(({ ref }) => ref),
    close() {},
  };
}

class MemoryTask implements TaskStore {
  readonly ref: TaskRef;
  readonly #segments = new Map<string, Uint8Array>();
  readonly #manifests = new Map<string, KeptText>();
  readonly #notes = new Map<string, string>();
  #fence = 0;

  constructor({ job, task }: TaskRef) {
    this.ref = { job, task };
  }

  acquireFence(above: number): number {
    this.#fence = Math.max(this.#fence, above) + 1;
    return this.#fence;
  }

  fence(): number {
    return this.#fence;
  }

  putSegment(token: number, name: string, bytes: Uint8Array): void {
    checkFence(this.ref, token, this.#fence);
    checkSegmentName(this.ref, token, name);
    if (this.#segments.has(name)) throw segmentExists(this.ref, name);
    this.#segments.set(name, bytes.slice()); // the writer may use its buffer again
  }

  getSegment(name: string): Uint8Array | undefined {
    return this.#segments.get(name)?.slice();
  }

  prepare(token: number, manifest: Parameters<TaskStore['prepare']>[1]): void {
    checkFence(this.ref, token, this.#fence);
    const text = encodeToPrepare(this.ref, token, manifest);
    const name = manifestName(manifest);
    const newest = newestOf(this.#confirmed());
    const before = this.#manifests.get(name);
    if (newest && manifest.id <= newest.id && !before?.isConfirmed) throw goesBack(this.ref, manifest.id, newest.id);
    if (before && before.text !== text) throw preparedTwice(this.ref, manifest);
    if (before) return;
    this.#manifests.set(name, { id: manifest.id, token, segments: segmentsOf(manifest), text, isConfirmed: false });
  }

  confirm(token: number, id: number, preparedBy = token): void {
    checkFence(this.ref, token, this.#fence);
    const key = { id, token: preparedBy };
    const manifest = this.#manifests.get(manifestName(key));
    if (manifest?.isConfirmed) return;
    const newest = newestOf(this.#confirmed());
    if (newest && id <= newest.id) throw goesBack(this.ref, id, newest.id);
    if (!manifest || isOvertaken(key, newest)) throw notPrepared(this.ref, key);
    manifest.isConfirmed = true;
  }

  manifests(): readonly StoredManifest[] {
    const newest = newestOf(this.#confirmed());
    return [...this.#manifests.values()]
      .filter(manifest => manifest.isConfirmed || !isOvertaken(manifest, newest))
      .sort((a, b) => a.id - b.id || a.token - b.token)
      .map(({ text, isConfirmed, ...key }) => ({
        manifest: decodeManifest(text, manifestName(key)),
        confirmed: isConfirmed,
      }));
  }

  collect(token: number, ids: readonly number[]): void {
    checkFence(this.ref, token, this.#fence);
    const confirmed = this.#confirmed();
    const prepared = [...this.#manifests.values()].filter(({ isConfirmed }) => !isConfirmed);
    const plan = planCollection(this.ref, token, ids, confirmed, prepared, this.#segments.keys());
    for (const manifest of plan.dropped) this.#manifests.delete(manifestName(manifest));
    for (const name of plan.segments) this.#segments.delete(name);
  }

  notes(): readonly TaskNote[] {
    return [...this.#notes].map(([name, text]) => ({ name, text }));
  }

  putNote(name: string, text: string): boolean {
    checkNoteName(this.ref, name);
    const before = this.#notes.get(name);
    if (before === undefined) this.#notes.set(name, text);
    return before === undefined || before === text;
  }

  removeNote(name: string): void {
    this.#notes.delete(name);
  }

  clear(token: number): void {
    checkFence(this.ref, token, this.#fence);
    this.#notes.clear();
    this.#manifests.clear();
    this.#segments.clear();
  }

  #confirmed(): KeptText[] {
    return [...this.#manifests.values()].filter(({ isConfirmed }) => isConfirmed);
  }
}
