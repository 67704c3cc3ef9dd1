import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../../../lib/index.ts';
import { SchemaRegistryError, SchemaRegistryUnavailableError } from './errors.ts';
import type { RegistryAuth, SchemaRegistrySettings } from './options.ts';

export interface RegistryRequest {
  /** Behind the registry's URL. */
  readonly path: string;
  /** Posted as JSON; a request without one is a GET. */
  readonly body?: unknown;
  /** What is being done, for errors: 'read the schema with id 7'. */
  readonly action: string;
  readonly signal?: AbortSignal | undefined;
}

const mediaType = 'application/vnd.schemaregistry.v1+json';
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** What may pass by itself: no answer, or one of these. */
const passing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** One exchange of JSON with a registry, repeated while what is in the way may pass. */
export class RegistryHttp {
  readonly #settings: SchemaRegistrySettings;
  /** The URL that answered last is asked first. */
  #preferred = 0;

  constructor(settings: SchemaRegistrySettings) {
    this.#settings = settings;
  }

  get location(): string {
    return this.#settings.location;
  }

  /**
   * The JSON of the answer. Throws `SchemaRegistryError` when the registry refuses, `SchemaRegistryUnavailableError` after
   * the last retry, and the signal's reason when that aborts.
   */
  async ask(request: RegistryRequest): Promise<unknown> {
    const { urls, retries } = this.#settings;
    for (let attempt = 0; ; attempt++) {
      const at = (this.#preferred + attempt) % urls.length;
      try {
        const answer = await this.#once(urls[at] as string, request);
        this.#preferred = at;
        return answer;
      } catch (error) {
        request.signal?.throwIfAborted();
        if (attempt >= retries || !(error instanceof SchemaRegistryUnavailableError)) throw error;
        const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
        await pause(longest * (0.5 + Math.random() / 2), undefined, { signal: request.signal });
      }
    }
  }

  async #once(url: string, { path, body, action, signal }: RegistryRequest): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#settings.timeoutMs);
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let authorized: Record<string, string>;
    try {
      authorized = await unlessAborted(ended, authorization(this.#settings.auth));
    } catch (error) {
      if (!ended.aborted) throw error;
      throw this.#noAnswer(url, action, error);
    }
    const init: RequestInit = {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: `${mediaType}, application/json`,
        ...(body === undefined ? {} : { 'content-type': mediaType }),
        ...authorized,
      },
      signal: ended,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${url}${path}`, init);
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw this.#noAnswer(url, action, error);
    }
    const answer = parsed(text);
    if (status === 200 && answer !== undefined) return answer;
    throw this.#refusal(url, action, status, answer);
  }

  #noAnswer(url: string, action: string, error: unknown): Error {
    // What fetch throws says only that it failed; what it met is the cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = String((cause as { code?: unknown }).code ?? '');
    if (/CERT|SSL|TLS|SELF_SIGNED|EPROTO/.test(code)) {
      const advice =
        'check that it expects TLS on this port, and name its certificate authority in NODE_EXTRA_CA_CERTS';
      const message = `TLS to the schema registry at ${url} failed, to ${action}: ${messageOf(cause)}; ${advice}`;
      return new SchemaRegistryError(message, 0, 0, { cause });
    }
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const what = isLate ? `no answer within ${this.#settings.timeoutMs} ms` : messageOf(cause);
    const advice = 'Check its URL, and that it runs.';
    return new SchemaRegistryUnavailableError(
      `The schema registry at ${url} could not be asked to ${action}: ${what}. ${advice}`,
      { cause },
    );
  }

  #refusal(url: string, action: string, status: number, answer: unknown): Error {
    const { error_code, message } = (answer ?? {}) as { error_code?: unknown; message?: unknown };
    const errorCode = typeof error_code === 'number' ? error_code : 0;
    const said = typeof message === 'string' ? `: ${message.slice(0, 1_000)}` : '';
    if (passing(status)) {
      return new SchemaRegistryUnavailableError(
        `The schema registry at ${url} could not ${action} (HTTP ${status})${said}`,
      );
    }
    const advice = adviceFor(status, errorCode);
    return new SchemaRegistryError(
      `The schema registry at ${url} did not ${action} (HTTP ${status}${errorCode === 0 ? '' : `, code ${errorCode}`})${said}. ${advice}`,
      status,
      errorCode,
    );
  }
}

function adviceFor(status: number, errorCode: number): string {
  if (status === 401) return 'Check user and password, or the token.';
  if (status === 403) return 'This user may not do that: grant it in the registry.';
  if (status === 409) {
    return (
      'It is not compatible with what is registered: change the schema (new fields need a default), ' +
      'or the compatibility level of the subject.'
    );
  }
  if (errorCode === 42201) return 'The registry takes it for no valid Avro schema: mend the schema.';
  if (errorCode !== 0 && errorCode !== 404) return 'Check what was asked for.';
  return 'What answers there is no schema registry: check the URL, with its path.';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Fails with the signal's reason once it is aborted: a function that is to give a token may never answer. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // it may fail when nobody looks any more
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function authorization(auth: RegistryAuth | undefined): Promise<Record<string, string>> {
  if (auth === undefined) return {};
  if ('token' in auth) {
    return { authorization: `Bearer ${typeof auth.token === 'function' ? await auth.token() : auth.token}` };
  }
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}
