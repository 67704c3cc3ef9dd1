export type { StandardSchema } from '../../lib/index.ts';
export { kafkaCommitPoint } from './commit/kafka-commit-point.ts';
export { deadLetterHeaders } from './dead-letter.ts';
export {
  KafkaAnswerError,
  KafkaConnectionError,
  KafkaSecurityError,
  MissingTopicError,
  RecordTooLargeError,
} from './errors.ts';
export { type AvroOptions, avro } from './format/avro/avro.ts';
export type { AvroSchema, AvroValueOptions } from './format/avro/avro-types.ts';
export type { SubjectOf, SubjectStrategy } from './format/avro/subject.ts';
export { type BytesFormat, type BytesOptions, bytes } from './format/bytes.ts';
export { type CustomDeserializer, type CustomSerializer, custom } from './format/custom.ts';
export type { Deserializer, RecordView } from './format/deserializer.ts';
export type { Format } from './format/format.ts';
export { type JsonOptions, json } from './format/json.ts';
export { SchemaRegistryError, SchemaRegistryUnavailableError } from './format/registry/errors.ts';
export type { RegistryAuth, SchemaRegistryOptions } from './format/registry/options.ts';
export { type SchemaRegistry, schemaRegistry } from './format/registry/schema-registry.ts';
export type { RecordPart, Serializer } from './format/serializer.ts';
export { string } from './format/string.ts';
export { type MetadataOptions, type WithMetadata, withMetadata } from './format/with-metadata.ts';
export type { KafkaConnectionOptions, KafkaSasl, KafkaToken } from './options.ts';
export type { Partitioner, PartitionerRecord } from './partition/partitioner.ts';
export {
  DeliveryTimeoutError,
  OutcomeUnknownError,
  ProducerBrokenError,
  ProducerFencedError,
} from './produce/errors.ts';
export type { Compression, Header } from './record.ts';
export { CoPartitionError } from './scale/errors.ts';
export type { KafkaTaskSharingOptions } from './scale/options.ts';
export { kafkaTaskSharing } from './scale/task-sharing.ts';
export type { KafkaSinkOptions, NewTopicOptions } from './sink/options.ts';
export { kafkaSink } from './sink/sink.ts';
export type { PoisonPolicy } from './source/dead-letters.ts';
export { OffsetGapError, TopicError } from './source/errors.ts';
export type { KafkaSourceOptions } from './source/options.ts';
export { kafkaSource } from './source/source.ts';
export type { NoGroupOffset, StartPosition } from './source/start-position.ts';
export type { StopPosition } from './source/stop-position.ts';
