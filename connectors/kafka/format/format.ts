import type { Deserializer } from './deserializer.ts';
import type { Serializer } from './serializer.ts';

/** How values are written in records: the same one serves sources and sinks. */
export interface Format<T> extends Deserializer<T>, Serializer<T> {
  /** 'json', 'avro', … */
  readonly name: string;
}
