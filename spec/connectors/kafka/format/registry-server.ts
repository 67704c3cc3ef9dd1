import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import avsc from 'avsc';

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

interface Registered {
  readonly id: number;
  readonly schema: string;
  readonly schemaType: string;
  readonly references: readonly Reference[];
}

type Compatibility = 'BACKWARD' | 'FORWARD' | 'FULL' | 'NONE';

/** What the next request meets instead of an answer. */
export type Trouble =
  | { readonly status: number; readonly body?: string; readonly times?: number }
  | { readonly kind: 'hang-up' | 'silence'; readonly times?: number };

class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * A stand-in for Confluent's Schema Registry, in memory: the paths, codes and rules of its HTTP interface that the Avro
 * format uses, after its documentation. Equal schemas share one id; a new version must be compatible with the newest one
 * (BACKWARD unless the subject says otherwise), as far as avsc resolves one to the other.
 */
export class RegistryServer implements AsyncDisposable {
  /** Method and path of every request. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** The one value of the header `authorization` that is let in; `undefined`: everybody. */
  accepts: string | undefined;
  readonly compatibility = new Map<string, Compatibility>();
  readonly #trouble: Trouble[] = [];
  readonly #schemas: Registered[] = [];
  readonly #subjects = new Map<string, Registered[]>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(port = 0): Promise<RegistryServer> {
    const started = new RegistryServer();
    await new Promise<void>(resolve => started.#server.listen(port, '127.0.0.1', resolve));
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next requests meet these, in this order. */
  meet(...trouble: readonly Trouble[]): void {
    for (const one of trouble) for (let i = 0; i < (one.times ?? 1); i++) this.#trouble.push(one);
  }

  /** Registers without HTTP; the id. */
  add(subject: string, schema: unknown, more: Partial<Pick<Registered, 'schemaType' | 'references'>> = {}): number {
    return this.#register(subject, { schema: typeof schema === 'string' ? schema : JSON.stringify(schema), ...more })
      .id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    this.requests.push(`${request.method} ${path}`);
    this.authorizations.push(request.headers.authorization);
    const trouble = this.#trouble.shift();
    if (trouble && 'kind' in trouble) {
      if (trouble.kind === 'hang-up') request.socket.destroy();
      return;
    }
    if (trouble) {
      response.writeHead(trouble.status).end(trouble.body ?? '');
      return;
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    try {
      if (this.accepts !== undefined && request.headers.authorization !== this.accepts) {
        throw new Refusal(401, 401, 'Unauthorized');
      }
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const answer = this.#route(request.method ?? 'GET', path.split('/').slice(1).map(decodeURIComponent), body);
      response.writeHead(200, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(answer));
    } catch (error) {
      const { status, code, message } = error instanceof Refusal ? error : new Refusal(500, 500, String(error));
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
      response.end(JSON.stringify({ error_code: code, message }));
    }
  }

  #route(method: string, [top, subject = '', versions, version]: string[], body: Record<string, unknown>): unknown {
    if (method === 'GET' && top === 'schemas' && subject === 'types') return ['AVRO'];
    if (method === 'GET' && top === 'schemas' && subject === 'ids') return this.#withId(Number(versions));
    if (top === 'subjects' && method === 'GET' && versions === 'versions') return this.#version(subject, version ?? '');
    if (top === 'subjects' && method === 'POST' && versions === 'versions') {
      return { id: this.#register(subject, body).id };
    }
    if (top === 'subjects' && method === 'POST' && versions === undefined) return this.#lookUp(subject, body);
    throw new Refusal(404, 404, 'HTTP 404 Not Found');
  }

  #withId(id: number): unknown {
    const found = this.#schemas.find(schema => schema.id === id);
    if (!found) throw new Refusal(404, 40403, `Schema ${id} not found`);
    return described(found);
  }

  #version(subject: string, version: string): unknown {
    const versions = this.#subjects.get(subject);
    if (!versions) throw new Refusal(404, 40401, `Subject '${subject}' not found.`);
    const number = version === 'latest' ? versions.length : Number(version);
    const found = versions[number - 1];
    if (!found) throw new Refusal(404, 40402, `Version ${version} not found.`);
    return { subject, version: number, id: found.id, ...described(found) };
  }

  #lookUp(subject: string, body: Record<string, unknown>): unknown {
    const versions = this.#subjects.get(subject);
    if (!versions) throw new Refusal(404, 40401, `Subject '${subject}' not found.`);
    const text = normal(String(body.schema));
    const index = versions.findIndex(({ schema }) => normal(schema) === text);
    const found = versions[index];
    if (!found) throw new Refusal(404, 40403, 'Schema not found');
    return { subject, version: index + 1, id: found.id, schema: found.schema };
  }

  #register(subject: string, body: Record<string, unknown>): Registered {
    const { schema, schemaType = 'AVRO', references = [] } = body as unknown as Registered;
    if (schemaType === 'AVRO') this.#verify(subject, schema, references);
    const versions = this.#subjects.get(subject) ?? [];
    const text = schemaType === 'AVRO' ? normal(schema) : schema;
    const same = this.#schemas.find(known => known.schema === text && known.schemaType === schemaType);
    const registered = same ?? { id: this.#schemas.length + 1, schema: text, schemaType, references };
    if (!same) this.#schemas.push(registered);
    if (!versions.includes(registered)) this.#subjects.set(subject, [...versions, registered]);
    return registered;
  }

  #verify(subject: string, schema: string, references: readonly Reference[]): void {
    let type: avsc.Type;
    try {
      type = this.#type(schema, references);
    } catch (error) {
      throw new Refusal(422, 42201, `Input schema is an invalid Avro schema, details: ${String(error)}`);
    }
    const newest = this.#subjects.get(subject)?.at(-1);
    const level = this.compatibility.get(subject) ?? 'BACKWARD';
    if (!newest || level === 'NONE') return;
    const old = this.#type(newest.schema, newest.references);
    const pairs: [avsc.Type, avsc.Type][] = [];
    if (level !== 'FORWARD') pairs.push([type, old]);
    if (level !== 'BACKWARD') pairs.push([old, type]);
    for (const [reader, writer] of pairs) {
      try {
        reader.createResolver(writer);
      } catch (error) {
        throw new Refusal(
          409,
          409,
          `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: ${String(error)}`,
        );
      }
    }
  }

  #type(schema: string, references: readonly Reference[], registry: Record<string, avsc.Type> = {}): avsc.Type {
    for (const { name, subject, version } of references) {
      const named = this.#subjects.get(subject)?.[version - 1];
      if (!named) throw new Error(`no reference ${name}`);
      if (!registry[name]) this.#type(named.schema, named.references, registry);
    }
    return avsc.Type.forSchema(JSON.parse(schema), { registry });
  }
}

const normal = (schema: string): string => JSON.stringify(JSON.parse(schema));

// As the registry does: what is usual is left out.
const described = ({ schema, schemaType, references }: Registered) => ({
  schema,
  ...(schemaType === 'AVRO' ? {} : { schemaType }),
  ...(references.length === 0 ? {} : { references }),
});
