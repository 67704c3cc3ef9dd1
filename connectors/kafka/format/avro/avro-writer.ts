import { messageOf } from '../../../../lib/index.ts';
import { SchemaRegistryError } from '../registry/errors.ts';
import type { SchemaRegistry } from '../registry/schema-registry.ts';
import type { RecordPart } from '../serializer.ts';
import { type AvroType, type AvroValueOptions, avroType } from './avro-types.ts';
import { type SubjectStrategy, subjectName } from './subject.ts';
import { headerBytes, writeHeader } from './wire-format.ts';

export interface AvroWriterSettings {
  /** The schema to write with; `undefined`: the newest of the subject. */
  readonly writer: { readonly type: AvroType; readonly text: string } | undefined;
  readonly subject: SubjectStrategy;
  readonly autoRegister: boolean;
  readonly values: AvroValueOptions;
}

interface Encoding {
  readonly id: number;
  readonly type: AvroType;
}

const firstBytes = 1_024;

/** Writes values in Confluent's wire format, with one schema for each topic and part. */
export class AvroWriter {
  readonly #registry: SchemaRegistry;
  readonly #settings: AvroWriterSettings;
  readonly #encodings = { key: new Map<string, Encoding>(), value: new Map<string, Encoding>() };
  #scratch = Buffer.allocUnsafe(firstBytes);

  constructor(registry: SchemaRegistry, settings: AvroWriterSettings) {
    this.#registry = registry;
    this.#settings = settings;
  }

  isPrepared(topic: string, part: RecordPart): boolean {
    return this.#encodings[part].has(topic);
  }

  /** Registers the schema for the topic, or looks it up. */
  async prepare(topic: string, part: RecordPart, signal?: AbortSignal): Promise<void> {
    const { subject: strategy, writer } = this.#settings;
    const subject = subjectName(strategy, { topic, part, record: writer?.type.name });
    const encoding = writer
      ? { type: writer.type, id: await this.#idOf(subject, writer.text, signal) }
      : await this.#newest(subject, signal);
    this.#encodings[part].set(topic, encoding);
  }

  serialize(value: unknown, topic: string, part: RecordPart): Uint8Array | null {
    if (value === null) return null;
    const encoding = this.#encodings[part].get(topic);
    if (!encoding) throw new Error(`the schema for the ${part}s of topic "${topic}" was not prepared`);
    const end = this.#encode(encoding.type, value);
    writeHeader(this.#scratch, encoding.id);
    return Buffer.copyBytesFrom(this.#scratch, 0, end);
  }

  /** Encodes behind room for the header; answers where the value ends. */
  #encode(type: AvroType, value: unknown): number {
    try {
      const end = type.encode(value, this.#scratch, headerBytes);
      if (end >= 0) return end;
      // What is negative is how many bytes were too few.
      this.#scratch = Buffer.allocUnsafe((this.#scratch.length - end) * 2);
      return type.encode(value, this.#scratch, headerBytes);
    } catch (error) {
      throw new Error(`it does not fit its schema${misfits(type, value)}`, { cause: error });
    }
  }

  async #idOf(subject: string, text: string, signal: AbortSignal | undefined): Promise<number> {
    if (this.#settings.autoRegister) return this.#registry.register(subject, text, signal);
    const id = await this.#registry.lookUp(subject, text, signal);
    if (id !== undefined) return id;
    throw new SchemaRegistryError(
      `The schema registry at ${this.#registry.location} does not have this schema under subject "${subject}", and the ` +
        'sink may not add it: register it there, or give autoRegister: true',
      404,
      40403,
      { context: { subject } },
    );
  }

  async #newest(subject: string, signal: AbortSignal | undefined): Promise<Encoding> {
    const { location } = this.#registry;
    const refused = (what: string, cause?: unknown) =>
      new SchemaRegistryError(`${what}: register a schema there, or give the sink one (schema)`, 404, 40401, {
        cause,
        context: { subject },
      });
    const found = await this.#registry.latest(subject, signal);
    if (!found) throw refused(`The schema registry at ${location} has no subject "${subject}"`);
    const named = `The newest schema of subject "${subject}" (id ${found.id}) in the registry at ${location}`;
    if (found.schemaType !== 'AVRO') throw refused(`${named} is one of ${found.schemaType}, not of Avro`);
    try {
      return { id: found.id, type: avroType(found.schema, found.references, this.#settings.values) };
    } catch (error) {
      throw refused(`${named} cannot be used (${messageOf(error)})`, error);
    }
  }
}

/** What of a value does not fit, by its path. */
function misfits(type: AvroType, value: unknown): string {
  const found: string[] = [];
  try {
    type.isValid(value, {
      errorHook(path, given, expected) {
        const what = typeof given === 'object' && given !== null ? 'an object' : `${String(given).slice(0, 100)}`;
        const kind = typeof given === 'bigint' ? `${what}n` : what;
        if (found.length < 5)
          found.push(`${path.join('.') || 'it'}: ${kind} is no ${expected.branchName ?? expected.typeName}`);
      },
    });
  } catch {
    return '';
  }
  return found.length === 0 ? '' : ` (${found.join('; ')})`;
}
