import { randomBytes } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { andThen, attempt, eachInOrder, isPromise, type MaybePromise } from '../maybe-promise.ts';
import type { Logger } from '../observe/logger.ts';
import { type CompactedSegment, compactStored, type StoredSegment } from './compaction.ts';
import { compactionPlan } from './compaction-plan.ts';
import { CompactionThread } from './compaction-thread.ts';
import type { ActorEntry, SegmentRef } from './manifest.ts';
import type { EncoderOptions } from './segment-encoder.ts';
import { segmentName, type TaskStore } from './snapshot-store.ts';

/** Puts `to` in the place of the segments `from`, which hold the same state, in the next manifest. */
export type ReplaceSegments = (actor: string, from: readonly SegmentRef[], to: readonly SegmentRef[]) => void;

/**
 * Shortens committed chains of segments in the background, one at a time, so that restores stay fast and what was
 * overwritten goes. The stream does not wait for it; a failure leaves the chain as it was, and is tried again later.
 */
export class ChainCompactor {
  private readonly store: TaskStore;
  private readonly logger: Logger;
  private readonly options: EncoderOptions;
  private thread: CompactionThread | undefined;
  private isBusy = false;
  private isClosed = false;

  constructor(store: TaskStore, logger: Logger, options: EncoderOptions) {
    this.store = store;
    this.logger = logger;
    this.options = options;
  }

  /** Looks at the chains of checkpoint `id`, which was committed under `token`. */
  consider(chains: ReadonlyMap<string, ActorEntry>, id: number, token: number, replace: ReplaceSegments): void {
    if (this.isBusy || this.isClosed) return;
    for (const [actor, { segments }] of chains) {
      const plan = compactionPlan(segments);
      if (!plan) continue;
      this.isBusy = true;
      const from = segments.slice(plan.from);
      const done = attempt<void>(
        () =>
          andThen(this.compact(from, plan.from === 0, id, token), to => {
            if (!this.isClosed) replace(actor, from, to);
          }),
        error => {
          if (!this.isClosed) this.logger.warn({ actor, error: messageOf(error) }, 'segments could not be compacted');
        },
      );
      const over = () => {
        this.isBusy = false;
      };
      if (isPromise(done)) void done.then(over);
      else over();
      return;
    }
  }

  close(): MaybePromise<void> {
    this.isClosed = true;
    return this.thread?.close();
  }

  private compact(from: readonly SegmentRef[], isAll: boolean, id: number, token: number): MaybePromise<SegmentRef[]> {
    const stored: StoredSegment[] = [];
    const read = eachInOrder(from, ({ name, checksum }) =>
      andThen(this.store.getSegment(name), bytes => {
        if (!bytes) throw new Error(`segment ${name} is not in the store`);
        stored.push({ bytes, checksum, where: name });
      }),
    );
    return andThen(read, () =>
      andThen(this.merge(stored, !isAll), compacted => this.put(compacted, isAll ? 'full' : 'delta', id, token)),
    );
  }

  private merge(stored: readonly StoredSegment[], keepDeletions: boolean): MaybePromise<CompactedSegment[]> {
    const { compression, isSynchronous: sync, maxBytes } = this.options;
    const options = { compression, sync, maxBytes, keepDeletions };
    if (sync) return compactStored(stored, options);
    this.thread ??= new CompactionThread();
    return this.thread.compact(stored, options);
  }

  private put(
    compacted: readonly CompactedSegment[],
    kind: SegmentRef['kind'],
    id: number,
    token: number,
  ): MaybePromise<SegmentRef[]> {
    const refs: SegmentRef[] = [];
    const written = eachInOrder(compacted, ({ bytes, checksum, entries }) => {
      const name = segmentName(id, token, randomBytes(8).toString('hex'));
      refs.push({ name, kind, bytes: bytes.byteLength, entries, checksum });
      return this.store.putSegment(token, name, bytes);
    });
    return andThen(written, () => refs);
  }
}
