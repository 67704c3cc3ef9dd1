import type { FetchedPartition, FetchRequest } from '../../port.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';
import { byTopic } from './by-topic.ts';

const nothing = Buffer.alloc(0);

/** No fetch sessions: every request names all of its partitions. */
export const fetchApi: Api<FetchRequest, { readonly error: string; readonly partitions: readonly FetchedPartition[] }> =
  {
    name: 'Fetch',
    key: 1,
    lowest: 10,
    highest: 11,
    encode(into, { isolation, maxWaitMs, minBytes, maxBytes, partitions }, version) {
      into.int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes);
      into.int8(isolation === 'read_committed' ? 1 : 0);
      into.int32(0).int32(-1); // session: none
      into.array(byTopic(partitions), ([topic, ofTopic]) =>
        into.string(topic).array(ofTopic, ({ partition, offset, maxBytes }) =>
          // Neither the leader's epoch nor a follower's start of the log.
          into.int32(partition).int32(-1).int64(offset).int64(-1).int32(maxBytes),
        ),
      );
      into.int32(0); // topics that the session forgets
      if (version >= 11) into.string(''); // rack
    },
    decode(from, version) {
      from.int32(); // throttled for so long; the broker sees to it itself
      const error = errorName(from.int16());
      from.int32(); // session
      const partitions = from.array(() => {
        const topic = from.string();
        return from.array((): FetchedPartition => {
          const partition = from.int32();
          const error = errorName(from.int16());
          const highWatermark = from.int64();
          const lastStableOffset = from.int64();
          const logStartOffset = from.int64();
          const abortedTransactions = from.array(() => ({ producerId: from.int64(), firstOffset: from.int64() }));
          if (version >= 11) from.int32(); // a replica that is nearer
          const records = from.nullableBytes() ?? nothing;
          const offsets = { highWatermark, lastStableOffset, logStartOffset };
          return { topic, partition, error, ...offsets, abortedTransactions, records };
        });
      });
      return { error, partitions: partitions.flat() };
    },
  };
