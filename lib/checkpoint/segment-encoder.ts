import { randomBytes } from 'node:crypto';
import type { SchedulerLike } from 'rxjs';
import { andThen, eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import { outsideGroups } from '../stream/native-group.ts';
import type { SegmentRef } from './manifest.ts';
import type { ActorCapture } from './participants.ts';
import { SegmentWriter, sealSegment } from './segment.ts';
import { segmentName, type TaskStore } from './snapshot-store.ts';

export interface EncoderOptions {
  readonly compression: 'zstd' | 'none';
  /** Raw size in bytes at which a segment is closed. */
  readonly maxBytes: number;
  /** Everything in one go and synchronously, for virtual time. */
  readonly isSynchronous: boolean;
}

/** Entries between two looks at the clock, and ms of work before records get their turn again. */
const sliceEntries = 256;
const sliceMs = 2;

/** Encodes captures in slices between the records of a task, and writes them as segments. */
export class SegmentEncoder {
  private readonly store: TaskStore;
  private readonly scheduler: SchedulerLike;
  private readonly options: EncoderOptions;

  constructor(store: TaskStore, scheduler: SchedulerLike, options: EncoderOptions) {
    this.store = store;
    this.scheduler = scheduler;
    this.options = options;
  }

  /**
   * Writes one capture; answers its segments. Stops early, with nothing to rely on, when `isWanted` turns false.
   * Throws `UnsupportedStateError` for state that could not be brought back unchanged.
   */
  write(capture: ActorCapture, id: number, token: number, isWanted: () => boolean): MaybePromise<SegmentRef[]> {
    if (capture.isEmpty) return [];
    const writer = new SegmentWriter({ maxBytes: this.options.maxBytes });
    const seal = (): MaybePromise<SegmentRef[]> => {
      const refs: SegmentRef[] = [];
      const raws = isWanted() ? writer.finish() : [];
      const written = eachInOrder(raws, raw =>
        andThen(
          sealSegment(raw.raw, { compression: this.options.compression, sync: this.options.isSynchronous }),
          sealed => {
            const name = segmentName(id, token, randomBytes(8).toString('hex'));
            refs.push({
              name,
              kind: capture.isFull ? 'full' : 'delta',
              bytes: sealed.bytes.byteLength,
              entries: raw.entries,
              checksum: sealed.checksum,
            });
            return this.store.putSegment(token, name, sealed.bytes);
          },
        ),
      );
      return andThen(written, () => refs);
    };
    if (this.options.isSynchronous) {
      while (capture.encode(writer, sliceEntries));
      return seal();
    }
    return new Promise<void>((resolve, reject) => {
      const slice = () => {
        try {
          if (!isWanted() || !this.slice(capture, writer)) resolve();
          else this.later(slice);
        } catch (error) {
          reject(error);
        }
      };
      this.later(slice);
    }).then(seal);
  }

  private slice(capture: ActorCapture, writer: SegmentWriter): boolean {
    const until = performance.now() + sliceMs;
    while (capture.encode(writer, sliceEntries)) {
      if (performance.now() >= until) return true;
    }
    return false;
  }

  private later(work: () => void): void {
    outsideGroups(() => this.scheduler.schedule(work));
  }
}
