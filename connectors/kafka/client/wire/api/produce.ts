import type { ProducedPartition, ProduceRequest } from '../../port.ts';
import { errorName } from '../error-codes.ts';
import type { Api } from './api.ts';
import { byTopic } from './by-topic.ts';

export const produceApi: Api<ProduceRequest, readonly ProducedPartition[]> = {
  name: 'Produce',
  key: 0,
  lowest: 7,
  highest: 8,
  encode(into, { acks, timeoutMs, transactionalId, batches }) {
    into.string(transactionalId).int16(acks).int32(timeoutMs);
    into.array(byTopic(batches), ([topic, ofTopic]) =>
      into.string(topic).array(ofTopic, ({ partition, records }) => into.int32(partition).bytes(records)),
    );
  },
  decode(from, version) {
    const partitions = from.array(() => {
      const topic = from.string();
      return from.array((): ProducedPartition => {
        const partition = from.int32();
        const error = errorName(from.int16());
        const baseOffset = from.int64();
        from.int64(); // time of the append
        from.int64(); // start of the log
        if (version < 8) return { topic, partition, error, baseOffset };
        const wrongRecords = from.array(
          () => `record ${from.int32()} of the batch: ${from.nullableString() ?? 'wrong'}`,
        );
        const said = [from.nullableString(), ...wrongRecords].filter(text => text !== null);
        return { topic, partition, error, baseOffset, ...(said.length === 0 ? {} : { message: said.join('; ') }) };
      });
    });
    return partitions.flat();
  },
};

/** About how long an encoded request is, so that its buffer need not grow. */
export function produceBytes({ batches }: ProduceRequest): number {
  return batches.reduce((sum, { topic, records }) => sum + records.length + topic.length * 3 + 16, 512);
}
