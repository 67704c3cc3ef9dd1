// What a process does that uses a client and closes it: nothing may keep it from ending, and nothing may be printed.
import { kafkaClient } from '../../../../connectors/kafka/client/kafkajs/kafka-client.ts';
import { batchOf, leaderOf, newTopic } from './cluster.ts';
import { KeptLog } from './log.ts';

const client = kafkaClient({}, new KeptLog());
const topic = await newTopic(client);
const node = await leaderOf(client, topic);
const batches = [{ topic, partition: 0, records: batchOf(['v']) }];
await node.produce({ acks: -1, timeoutMs: 5_000, transactionalId: undefined, batches });
const waiting = node.fetch({
  isolation: 'read_committed',
  maxWaitMs: 60_000,
  minBytes: 1_000,
  maxBytes: 1_000_000,
  partitions: [{ topic, partition: 0, offset: 1, maxBytes: 1_000_000 }],
});
await node.listOffsets([{ topic, partition: 0, at: 'latest' }], 'read_committed');
const ended = waiting.catch((error: Error) => error.message);
await client.close();
console.log(await ended);
