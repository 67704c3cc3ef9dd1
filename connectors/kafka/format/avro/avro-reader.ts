import { messageOf } from '../../../../lib/index.ts';
import type { SchemaRegistry } from '../registry/schema-registry.ts';
import { type AvroType, type AvroValueOptions, avroType } from './avro-types.ts';
import { headerBytes, schemaIdOf } from './wire-format.ts';

/** How values of one registered schema become what the job asked for, or why they cannot. */
type Decoding =
  | { readonly type: AvroType; readonly resolver: ReturnType<AvroType['createResolver']> | undefined }
  | { readonly failure: string; readonly cause: unknown; readonly askAgainAt: number };

/** A registry may learn of an id later than its records come: its followers lag behind. */
const absentForMs = 10_000;

/** Reads values in Confluent's wire format with the schemas that wrote them, and resolves those to the reader's. */
export class AvroReader {
  readonly #registry: SchemaRegistry;
  readonly #reader: AvroType | undefined;
  readonly #options: AvroValueOptions;
  readonly #now: () => number;
  readonly #decodings = new Map<number, Decoding>();

  /** `now`: ms on the monotonic clock. */
  constructor(
    registry: SchemaRegistry,
    reader: AvroType | undefined,
    options: AvroValueOptions,
    now: () => number = () => performance.now(),
  ) {
    this.#registry = registry;
    this.#reader = reader;
    this.#options = options;
    this.#now = now;
  }

  /** The id of the schema that has to be loaded for these bytes. */
  missing(bytes: Buffer | null): number | undefined {
    const id = bytes === null ? undefined : schemaIdOf(bytes);
    if (id === undefined) return undefined;
    const decoding = this.#decodings.get(id);
    if (decoding === undefined) return id;
    return 'failure' in decoding && decoding.askAgainAt < this.#now() ? id : undefined;
  }

  /** Gets the schemas with these ids. One that does not exist or does not fit is no failure here but in `deserialize`. */
  async load(ids: ReadonlySet<number>, signal?: AbortSignal): Promise<void> {
    await Promise.all([...ids].map(async id => this.#decodings.set(id, await this.#decoding(id, signal))));
  }

  deserialize(bytes: Buffer | null): unknown {
    if (bytes === null) return null;
    const id = schemaIdOf(bytes);
    if (id === undefined) throw new Error(noHeader(bytes));
    const decoding = this.#decodings.get(id);
    if (decoding === undefined) throw new Error(`its schema with id ${id} was not loaded`);
    if ('failure' in decoding) throw new Error(decoding.failure, { cause: decoding.cause });
    const { value, offset } = decode(decoding.type, bytes, decoding.resolver);
    if (offset === bytes.length) return value;
    const fault = offset < 0 ? 'it is cut off' : `${bytes.length - offset} bytes are left behind its value`;
    throw new Error(`${fault}; its schema has id ${id} in ${this.#registry.location}`);
  }

  async #decoding(id: number, signal: AbortSignal | undefined): Promise<Decoding> {
    const where = `schema with id ${id}`;
    const registered = await this.#registry.schema(id, signal);
    const failed = (failure: string, cause?: unknown, askAgainAt = Number.POSITIVE_INFINITY) => ({
      failure: `${failure} (registry ${this.#registry.location})`,
      cause,
      askAgainAt,
    });
    if (!registered) return failed(`there is no ${where}`, undefined, this.#now() + absentForMs);
    if (registered.schemaType !== 'AVRO') return failed(`its ${where} is one of ${registered.schemaType}, not of Avro`);
    let writer: AvroType;
    try {
      writer = avroType(registered.schema, registered.references, this.#options);
    } catch (error) {
      return failed(`its ${where} cannot be used: ${messageOf(error)}`, error);
    }
    if (!this.#reader) return { type: writer, resolver: undefined };
    try {
      // Without namespaces, as Avro has it since 1.9.
      const resolver = this.#reader.createResolver(writer, { ignoreNamespaces: true });
      return { type: this.#reader, resolver };
    } catch (error) {
      const [from, to] = [writer.name ?? writer.typeName, this.#reader.name ?? this.#reader.typeName];
      return failed(
        `its ${where} (${from}) cannot be read as the schema of the source (${to}): ${messageOf(error)}`,
        error,
      );
    }
  }
}

function decode(type: AvroType, bytes: Buffer, resolver: ReturnType<AvroType['createResolver']> | undefined) {
  try {
    return type.decode(bytes, headerBytes, resolver);
  } catch (error) {
    if (messageOf(error) !== 'potential precision loss') throw error;
    const advice = `read longs as bigints, with avro({ …, longs: 'bigint' })`;
    throw new Error(`a long in it is beyond 2^53, which a number cannot hold exactly: ${advice}`, { cause: error });
  }
}

function noHeader(bytes: Buffer): string {
  const begins = bytes.length === 0 ? 'it is empty' : `it begins with ${bytes.subarray(0, 5).toString('hex')}`;
  return `it is not Avro in Confluent's wire format (a 0 and the id of a schema): ${begins}`;
}
