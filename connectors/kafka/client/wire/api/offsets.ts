import type {
  CommittedOffset,
  ErrorName,
  FetchedOffset,
  Isolation,
  OffsetCommitRequest,
  OffsetQuery,
  TopicPartition,
} from '../../port.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';
import { byTopic } from './by-topic.ts';

type WithError = TopicPartition & { readonly error: ErrorName };

const special = { earliest: -2, latest: -1 } as const;

export const listOffsetsApi: Api<
  { readonly queries: readonly OffsetQuery[]; readonly isolation: Isolation },
  readonly (WithError & { readonly offset: number; readonly timestamp: number })[]
> = {
  name: 'ListOffsets',
  key: 2,
  lowest: 2,
  highest: 2,
  encode(into, { queries, isolation }) {
    into.int32(-1).int8(isolation === 'read_committed' ? 1 : 0);
    into.array(byTopic(queries), ([topic, ofTopic]) =>
      into
        .string(topic)
        .array(ofTopic, ({ partition, at }) => into.int32(partition).int64(typeof at === 'number' ? at : special[at])),
    );
  },
  decode(from) {
    from.int32(); // throttled
    const read = (topic: string) => {
      const partition = from.int32();
      const error = errorName(from.int16());
      const timestamp = from.int64();
      return { topic, partition, error, timestamp, offset: from.int64() };
    };
    return partitionsOf(from, read);
  },
};

export const offsetFetchApi: Api<
  {
    readonly group: string;
    /** `undefined`: all that the group has. */
    readonly partitions: readonly TopicPartition[] | undefined;
    readonly requireStable: boolean;
  },
  { readonly error: ErrorName; readonly partitions: readonly FetchedOffset[] }
> = {
  name: 'OffsetFetch',
  key: 9,
  lowest: 7,
  highest: 7,
  flexibleFrom: 6,
  encode(into, { group, partitions, requireStable }) {
    into.compactString(group);
    into.compactArray(partitions === undefined ? null : byTopic(partitions), ([topic, ofTopic]) =>
      into
        .compactString(topic)
        .compactArray(ofTopic, ({ partition }) => into.int32(partition))
        .noTags(),
    );
    into.bool(requireStable).noTags();
  },
  decode(from) {
    from.int32(); // throttled
    const partitions = from.compactArray(() => {
      const topic = from.compactString();
      const ofTopic = from.compactArray((): FetchedOffset => {
        const partition = from.int32();
        const offset = from.int64();
        from.int32(); // the leader's epoch
        const metadata = from.compactString();
        const error = errorName(from.int16());
        from.tags();
        return { topic, partition, offset, metadata, error };
      });
      from.tags();
      return ofTopic;
    });
    return { error: errorName(from.int16()), partitions: partitions.flat() };
  },
};

export const offsetCommitApi: Api<OffsetCommitRequest, readonly WithError[]> = {
  name: 'OffsetCommit',
  key: 8,
  lowest: 6,
  highest: 6,
  encode(into, { group, member, offsets }) {
    into
      .string(group)
      .int32(member?.generation ?? -1)
      .string(member?.memberId ?? '');
    writeOffsets(into, offsets);
  },
  decode(from) {
    from.int32(); // throttled
    return partitionsWithErrors(from);
  },
};

/** Offsets to commit, as plain and transactional requests have them. */
export function writeOffsets(into: ByteWriter, offsets: readonly CommittedOffset[]): void {
  into.array(byTopic(offsets), ([topic, ofTopic]) =>
    into
      .string(topic)
      .array(ofTopic, ({ partition, offset, metadata }) =>
        into.int32(partition).int64(offset).int32(-1).string(metadata),
      ),
  );
}

export function partitionsWithErrors(from: ByteReader): WithError[] {
  return partitionsOf(from, topic => ({ topic, partition: from.int32(), error: errorName(from.int16()) }));
}

function partitionsOf<T>(from: ByteReader, read: (topic: string) => T): T[] {
  return from
    .array(() => {
      const topic = from.string();
      return from.array(() => read(topic));
    })
    .flat();
}
