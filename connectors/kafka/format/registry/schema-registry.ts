import { z } from 'zod';
import { SchemaRegistryError } from './errors.ts';
import { type SchemaRegistryOptions, schemaRegistrySettings } from './options.ts';
import { RegistryHttp, type RegistryRequest } from './registry-http.ts';

/** A schema as the registry has it. */
export interface RegisteredSchema {
  /** 'AVRO', 'JSON', 'PROTOBUF'. */
  readonly schemaType: string;
  /** For Avro, JSON text. */
  readonly schema: string;
  /** The schemas that it names, and those that they name, in such an order that each stands behind what it names. */
  readonly references: readonly string[];
}

const reference = z.object({ name: z.string(), subject: z.string(), version: z.int() });
const stored = z.object({
  schema: z.string(),
  schemaType: z.string().default('AVRO'),
  references: z
    .array(reference)
    .nullish()
    .transform(given => given ?? []),
});
const identified = z.object({ id: z.int() });
const storedVersion = z.intersection(stored, identified);

type Stored = z.output<typeof stored>;

/**
 * A registry of schemas with the HTTP interface of Confluent's. What an id means never changes, so it is asked once.
 * Every method throws `SchemaRegistryError` or `SchemaRegistryUnavailableError`, which name the registry without credentials.
 */
export class SchemaRegistry {
  readonly #http: RegistryHttp;
  readonly #byId = new Map<number, RegisteredSchema>();
  readonly #byVersion = new Map<string, Stored>();

  constructor(options: string | SchemaRegistryOptions) {
    this.#http = new RegistryHttp(schemaRegistrySettings(options));
  }

  /** Its URLs, without credentials. */
  get location(): string {
    return this.#http.location;
  }

  /** The schema with this id; `undefined` when there is none. */
  async schema(id: number, signal?: AbortSignal): Promise<RegisteredSchema | undefined> {
    const known = this.#byId.get(id);
    if (known) return known;
    const request = { path: `/schemas/ids/${id}`, action: `read the schema with id ${id}`, signal };
    const found = await this.#found(request, stored, [40403]);
    if (!found) return undefined;
    const registered = await this.#withReferences(found, signal);
    this.#byId.set(id, registered);
    return registered;
  }

  /** The newest schema of the subject, with its id; `undefined` when there is no such subject. */
  async latest(
    subject: string,
    signal?: AbortSignal,
  ): Promise<(RegisteredSchema & { readonly id: number }) | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`;
    const action = `read the newest schema of subject "${subject}"`;
    const found = await this.#found({ path, action, signal }, storedVersion, [40401, 40402]);
    return found && { ...(await this.#withReferences(found, signal)), id: found.id };
  }

  /** The id of the schema under this subject, where it is added unless it is there already. */
  async register(subject: string, schema: string, signal?: AbortSignal): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    const action = `register the schema of subject "${subject}"`;
    return (await this.#read({ path, body: { schema }, action, signal }, identified)).id;
  }

  /** The id of the schema under this subject; `undefined` when the subject or the schema is not there. */
  async lookUp(subject: string, schema: string, signal?: AbortSignal): Promise<number | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}`;
    const action = `look up the schema of subject "${subject}"`;
    return (await this.#found({ path, body: { schema }, action, signal }, identified, [40401, 40403]))?.id;
  }

  /** Whether it can be reached, with these credentials. */
  async check(signal?: AbortSignal): Promise<void> {
    // Older ones do not know this path; that they say so is enough.
    await this.#found({ path: '/schemas/types', action: 'say what it knows', signal }, z.unknown(), [404]);
  }

  async #withReferences(found: Stored, signal: AbortSignal | undefined): Promise<RegisteredSchema> {
    const names = new Set<string>();
    const texts: string[] = [];
    const visit = async ({ references }: Stored): Promise<void> => {
      for (const { name, subject, version } of references) {
        if (names.has(name)) continue;
        names.add(name);
        const named = await this.#version(subject, version, signal);
        await visit(named);
        texts.push(named.schema);
      }
    };
    await visit(found);
    return { schemaType: found.schemaType, schema: found.schema, references: texts };
  }

  async #version(subject: string, version: number, signal: AbortSignal | undefined): Promise<Stored> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
    const known = this.#byVersion.get(path);
    if (known) return known;
    const found = await this.#read({ path, action: `read version ${version} of subject "${subject}"`, signal }, stored);
    this.#byVersion.set(path, found);
    return found;
  }

  async #found<T>(request: RegistryRequest, shape: z.ZodType<T>, absent: readonly number[]): Promise<T | undefined> {
    try {
      return await this.#read(request, shape);
    } catch (error) {
      // Only with the registry's own code: any other server says 404 as well.
      if (error instanceof SchemaRegistryError && absent.includes(error.errorCode)) return;
      throw error;
    }
  }

  async #read<T>(request: RegistryRequest, shape: z.ZodType<T>): Promise<T> {
    const read = shape.safeParse(await this.#http.ask(request));
    if (read.success) return read.data;
    throw new SchemaRegistryError(
      `The schema registry at ${this.location} did not ${request.action}: its answer is not what a registry answers. ` +
        'Check the URL, with its path.',
      200,
      0,
      { cause: read.error },
    );
  }
}

/** A registry that several formats may share. */
export function schemaRegistry(options: string | SchemaRegistryOptions): SchemaRegistry {
  return new SchemaRegistry(options);
}
