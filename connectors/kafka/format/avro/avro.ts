import { z } from 'zod';
import { messageOf, SettingsError, settingsFields, settingsProblems } from '../../../../lib/index.ts';
import type { Format } from '../format.ts';
import type { SchemaRegistryOptions } from '../registry/options.ts';
import { SchemaRegistry } from '../registry/schema-registry.ts';
import { AvroReader } from './avro-reader.ts';
import { type AvroSchema, type AvroType, type AvroValueOptions, avroType } from './avro-types.ts';
import { AvroWriter } from './avro-writer.ts';
import type { SubjectStrategy } from './subject.ts';

const { choice, flag, functionOf, section } = settingsFields;

export interface AvroOptions extends AvroValueOptions {
  /** Where the schemas are: a URL, its options, or one that formats share. */
  readonly registry: string | SchemaRegistryOptions | SchemaRegistry;
  /**
   * Reading: what every value is resolved to, whichever schema wrote it; left out, values are as they were written.
   * Writing: what is written; left out, the newest schema of the subject.
   */
  readonly schema?: AvroSchema;
  /** Under which subject the schema for writing is; default `'topic'`. */
  readonly subject?: SubjectStrategy;
  /** Whether a schema that its subject does not have is added; default true. Otherwise it must be there. */
  readonly autoRegister?: boolean;
}

const fields = section({
  registry: z.custom<AvroOptions['registry']>(
    given => typeof given === 'string' || (typeof given === 'object' && given !== null),
    { error: 'a URL, or the options of a schema registry' },
  ),
  schema: z
    .custom<AvroSchema>(given => typeof given === 'string' || (typeof given === 'object' && given !== null), {
      error: 'an Avro schema, as JSON or its text',
    })
    .optional(),
  subject: z
    .union([choice('topic', 'record', 'topic-record'), functionOf('a function')], {
      error: '"topic", "record", "topic-record" or a function',
    })
    .default('topic'),
  autoRegister: flag().default(true),
  longs: choice('number', 'bigint').default('number'),
  logicalTypes: z
    .record(z.string(), functionOf('a class derived from LogicalType'), { error: 'classes by name' })
    .optional(),
  wrapUnions: z
    .union([flag(), choice('auto', 'always', 'never')], { error: 'true, false, "auto", "always" or "never"' })
    .optional(),
});

/**
 * Avro in Confluent's wire format, with a schema registry. Values are plain objects; `bytes` and `fixed` are Buffers,
 * logical types the values of their underlying type. What cannot be read (another format, a schema that the registry
 * does not have or that does not resolve to the given one) is poison. `null` is written as a record without value.
 */
export function avro<T = unknown>(options: AvroOptions): Format<T> {
  const parsed = fields.safeParse(options, { reportInput: true });
  if (!parsed.success) throw wrong(settingsProblems(parsed.error.issues));
  const { schema, registry: given, subject = 'topic', autoRegister = true } = options;
  const registry = given instanceof SchemaRegistry ? given : new SchemaRegistry(given);
  const type = schema === undefined ? undefined : typeOf(schema, options);
  if ((subject === 'record' || subject === 'topic-record') && type?.name === undefined) {
    throw wrong([`subject: "${subject}" needs a schema that has a name`]);
  }
  const reader = new AvroReader(registry, type, options);
  const writer = new AvroWriter(registry, {
    writer: schema !== undefined && type ? { type, text: textOf(schema) } : undefined,
    subject,
    autoRegister,
    values: options,
  });
  return {
    name: 'avro',
    missing: bytes => reader.missing(bytes),
    load: (ids, signal) => reader.load(ids, signal),
    deserialize: bytes => reader.deserialize(bytes) as T | null,
    isPrepared: (topic, part) => writer.isPrepared(topic, part),
    prepare: (topic, part, signal) => writer.prepare(topic, part, signal),
    serialize: (value, topic, part) => writer.serialize(value, topic, part),
    check: () => registry.check(),
  };
}

const wrong = (problems: readonly string[]) => new SettingsError('The settings of avro are wrong', problems);

function typeOf(schema: AvroSchema, options: AvroValueOptions): AvroType {
  try {
    return avroType(schema, [], options);
  } catch (error) {
    throw wrong([`schema: it is no Avro schema: ${messageOf(error)}`]);
  }
}

const textOf = (schema: AvroSchema): string =>
  typeof schema === 'string' && !/^[a-z]+$/.test(schema) ? schema : JSON.stringify(schema);
