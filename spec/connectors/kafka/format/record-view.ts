import type { RecordView } from '../../../../connectors/kafka/format/deserializer.ts';

/** What stands beside a value, for a deserializer that is not interested. */
export const anyRecord: RecordView = {
  topic: 'payments',
  partition: 2,
  offset: 7,
  timestamp: 1_700_000_000_000,
  key: Buffer.from('card'),
  headers: [['trace', Buffer.from('t1')]],
};
