import { andThen, eachInOrder, type MaybePromise } from '../maybe-promise.ts';
import {
  type Compression,
  EntryReader,
  openSegment,
  type RawSegment,
  type SealedSegment,
  SegmentWriter,
  sealSegment,
} from './segment.ts';

export interface CompactOptions {
  /** As in `SegmentWriterOptions`. */
  readonly maxBytes?: number;
  /** Whether the result still lies on older segments, so that deletions must go on hiding what those hold; default false. */
  readonly keepDeletions?: boolean;
}

/** The entries of one kind that count, by key: where each lies, as an index into `places`. */
interface Winners {
  readonly live: Map<string, number>;
  readonly deletions: Map<string, number>;
}

/**
 * Merges raw segments, oldest first, into as few as possible: for each key the newest entry counts. Values are not decoded.
 * Reading the result gives the same keys in the same order as reading the segments one after another.
 */
export function compact(segments: readonly Uint8Array[], options: CompactOptions = {}): RawSegment[] {
  const { keepDeletions = false } = options;
  const places: number[] = []; // segment, start and end of each entry
  const kinds: Winners[] = [];
  segments.forEach((raw, segment) => {
    const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    let start = 0;
    new EntryReader(buffer).next(Number.POSITIVE_INFINITY, (kind, _, keyStart, keyEnd, _valueStart, valueEnd) => {
      kinds[kind] ??= { live: new Map(), deletions: new Map() };
      const { live, deletions } = kinds[kind];
      const key = buffer.toString('latin1', keyStart, keyEnd); // one character for each byte
      const end = valueEnd < 0 ? keyEnd : valueEnd;
      if (valueEnd >= 0) {
        live.set(key, places.length);
      } else {
        // The key goes to the end when it comes again, as in a Map: its order is part of what a restore gives back.
        live.delete(key);
        if (keepDeletions) deletions.set(key, places.length);
      }
      places.push(segment, start, end);
      start = end;
    });
  });
  const writer = new SegmentWriter(options);
  const copy = (place: number) => {
    writer.copy(
      segments[places[place] as number] as Uint8Array,
      places[place + 1] as number,
      places[place + 2] as number,
    );
  };
  for (const winners of kinds) {
    if (!winners) continue;
    for (const place of winners.deletions.values()) copy(place);
    for (const place of winners.live.values()) copy(place);
  }
  return writer.finish();
}

/** A segment as it lies in a store, with what is known of it. */
export interface StoredSegment {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly checksum: string;
  /** Named by errors. */
  readonly where: string;
}

export interface CompactedSegment extends SealedSegment {
  readonly entries: number;
}

export interface CompactStoredOptions extends CompactOptions {
  readonly compression: Compression;
  /** Answers at once, on this thread. */
  readonly sync?: boolean;
}

/** Opens stored segments, oldest first, compacts them and seals the result. */
export function compactStored(
  segments: readonly StoredSegment[],
  options: CompactStoredOptions,
): MaybePromise<CompactedSegment[]> {
  const { compression, sync = false } = options;
  const opened: Uint8Array[] = [];
  const results: CompactedSegment[] = [];
  const opening = eachInOrder(segments, ({ bytes, checksum, where }) =>
    andThen(openSegment(bytes, checksum, where, { sync }), raw => {
      opened.push(raw);
    }),
  );
  const sealing = andThen(opening, () =>
    eachInOrder(compact(opened, options), ({ raw, entries }) =>
      andThen(sealSegment(raw, { compression, sync }), sealed => {
        results.push({ ...sealed, entries });
      }),
    ),
  );
  return andThen(sealing, () => results);
}
