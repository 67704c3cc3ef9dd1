import type { ErrorName, TopicPartition } from '../../port.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';
import { byTopic } from './by-topic.ts';

export const deleteRecordsApi: Api<
  {
    /** Everything before `before` goes. */
    readonly partitions: readonly (TopicPartition & { readonly before: number })[];
    readonly timeoutMs: number;
  },
  readonly (TopicPartition & { readonly error: ErrorName })[]
> = {
  name: 'DeleteRecords',
  key: 21,
  lowest: 0,
  highest: 1,
  encode(into, { partitions, timeoutMs }) {
    into.array(byTopic(partitions), ([topic, ofTopic]) =>
      into.string(topic).array(ofTopic, ({ partition, before }) => into.int32(partition).int64(before)),
    );
    into.int32(timeoutMs);
  },
  decode(from) {
    from.int32(); // throttled
    return from
      .array(() => {
        const topic = from.string();
        return from.array(() => {
          const partition = from.int32();
          from.int64(); // where the log begins now
          return { topic, partition, error: errorName(from.int16()) };
        });
      })
      .flat();
  },
};
