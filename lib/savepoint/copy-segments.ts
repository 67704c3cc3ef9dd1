import { createHash, randomBytes } from 'node:crypto';
import type { ActorEntry, SegmentRef } from '../checkpoint/manifest.ts';
import { segmentName, type TaskStore } from '../checkpoint/snapshot-store.ts';
import { StateLostError } from '../errors.ts';
import { andThen, eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import type { SavedTask } from './savepoint.ts';

/** The bytes of a segment of a savepoint, which are what was stored. */
export function segmentBytes(from: SavedTask, segment: SegmentRef, actor: string): MaybePromise<Uint8Array> {
  return andThen(from.getSegment(segment.name), bytes => {
    const lacks = (what: string) =>
      new StateLostError(
        `The savepoint of job "${from.manifest.job}" is not whole: segment ${segment.name} of the actor "${actor}" ${what}. ` +
          'Take it from a copy.',
        { context: { job: from.manifest.job, operator: actor } },
      );
    if (!bytes) throw lacks('is missing');
    if (createHash('sha256').update(bytes).digest('hex') !== segment.checksum) throw lacks('is damaged');
    return bytes;
  });
}

/** Copies the segments of a saved task, one at a time, under names of `token`; answers its actors, which name the copies. */
export function copySegments(
  from: SavedTask,
  to: Pick<TaskStore, 'putSegment'>,
  { token, id }: { readonly token: number; readonly id: number },
): MaybePromise<Record<string, ActorEntry>> {
  const actors: Record<string, ActorEntry> = {};
  const copied = eachInOrder(Object.entries(from.manifest.actors), ([actor, entry]) => {
    const segments: SegmentRef[] = [];
    const all = eachInOrder(entry.segments, segment =>
      andThen(segmentBytes(from, segment, actor), bytes => {
        const name = segmentName(id, token, randomBytes(8).toString('hex'));
        segments.push({ ...segment, name });
        return to.putSegment(token, name, bytes);
      }),
    );
    return andThen(all, () => {
      actors[actor] = { ...entry, segments };
    });
  });
  return andThen(copied, () => actors);
}
