import type { RecordPart } from '../serializer.ts';

/** What a subject may be made of. */
export interface SubjectOf {
  readonly topic: string;
  readonly part: RecordPart;
  /** The full name of the schema, where it has one. */
  readonly record: string | undefined;
}

/**
 * Under which subject a schema is registered: `'topic'` (Confluent's TopicNameStrategy: `totals-value`), `'record'`
 * (RecordNameStrategy: `shop.Total`), `'topic-record'` (TopicRecordNameStrategy: `totals-shop.Total`), or a function.
 */
export type SubjectStrategy = 'topic' | 'record' | 'topic-record' | ((of: SubjectOf) => string);

export function subjectName(strategy: SubjectStrategy, of: SubjectOf): string {
  if (typeof strategy === 'function') return strategy(of);
  if (strategy === 'topic') return `${of.topic}-${of.part}`;
  return strategy === 'record' ? `${of.record}` : `${of.topic}-${of.record}`;
}
