import type { BatchCursor } from '../client/wire/record-batch-reader.ts';
import type { RecordView } from '../format/deserializer.ts';
import type { Header, KafkaRecord } from '../record.ts';

/** The record that a cursor stands on; one object for all records of a partition. */
export class CursorView implements RecordView {
  readonly topic: string;
  readonly partition: number;
  cursor: BatchCursor;

  constructor(topic: string, partition: number, cursor: BatchCursor) {
    this.topic = topic;
    this.partition = partition;
    this.cursor = cursor;
  }

  get offset(): number {
    return this.cursor.offset;
  }

  get timestamp(): number {
    return this.cursor.timestamp;
  }

  get key(): Buffer | null {
    return this.cursor.key();
  }

  get headers(): readonly Header[] {
    return this.cursor.headers();
  }

  /** The whole record; its bytes are still views. */
  record(): KafkaRecord {
    const { topic, partition, offset, timestamp, key, headers } = this;
    return { topic, partition, offset, timestamp, key, value: this.cursor.value(), headers };
  }
}
