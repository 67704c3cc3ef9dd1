import { z } from 'zod';
import {
  type Duration,
  type MaybePromise,
  SettingsError,
  settingsFields,
  settingsProblems,
} from '../../../../lib/index.ts';

const { duration, section, wholeNumber } = settingsFields;

/** Where a schema registry is and how to get in. */
export interface SchemaRegistryOptions {
  /**
   * `http://` or `https://` (the machine's certificate authorities, and those in `NODE_EXTRA_CA_CERTS`), with a path if
   * need be; several of one cluster are tried in turn. User and password may stand in it, percent-encoded.
   */
  readonly url: string | readonly string[];
  /** Basic authentication, or a bearer token: a function is asked for every request. Default: none. */
  readonly auth?: RegistryAuth;
  /** How long one request may take; default `10s`. */
  readonly timeout?: Duration;
  /** How often a request is repeated after an outage, with growing pauses between; default 4. */
  readonly retries?: number;
}

export type RegistryAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => MaybePromise<string>) };

/** The options, checked and complete. */
export interface SchemaRegistrySettings {
  /** Without credentials and without a slash at the end. */
  readonly urls: readonly string[];
  /** For people; without credentials. */
  readonly location: string;
  readonly auth: RegistryAuth | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
}

const urlText = 'a URL such as "https://registry:8081"';

const schema = section({
  url: z.union([z.string().transform(url => [url]), z.array(z.string()).min(1)], {
    error: `${urlText}, or a list of them`,
  }),
  auth: z.unknown().optional(),
  timeout: duration().default(10_000),
  retries: wholeNumber(0).max(20, { error: 'a whole number of at most 20' }).default(4),
});

/** Checks the options; throws one `SettingsError` that names every problem, and no credentials. */
export function schemaRegistrySettings(given: string | SchemaRegistryOptions): SchemaRegistrySettings {
  const parsed = schema.safeParse(typeof given === 'string' ? { url: given } : given, { reportInput: true });
  if (!parsed.success) throw wrong(settingsProblems(parsed.error.issues));
  const { url, auth, timeout, retries } = parsed.data;
  const read = url.map(readUrl);
  const urls = read.flatMap(({ base }) => base ?? []);
  const inUrls = read.find(({ auth }) => auth)?.auth;
  const problems = read.flatMap(({ problem }) => problem ?? []);
  if (auth !== undefined && !isAuth(auth)) {
    problems.push('auth: accepted is { username, password } or { token }, which is a text or a function');
  }
  if (auth !== undefined && inUrls) problems.push('auth: it stands in the URL as well; give it once');
  if (problems.length > 0) throw wrong(problems);
  const location = urls.join(', ');
  return { urls, location, auth: isAuth(auth) ? auth : inUrls, timeoutMs: timeout, retries };
}

const wrong = (problems: readonly string[]) =>
  new SettingsError('The settings of the schema registry are wrong', problems);

interface ReadUrl {
  readonly base?: string;
  readonly auth?: RegistryAuth;
  readonly problem?: string;
}

function readUrl(text: string): ReadUrl {
  const url = URL.parse(text.trim());
  // What stands in it may be a part of the password: none of it is repeated.
  if (!url)
    return { problem: `url: it cannot be read as a URL; accepted is ${urlText}, user and password percent-encoded` };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { problem: `url: "${url.protocol}" was given; accepted is ${urlText}` };
  }
  if (url.search || url.hash || url.pathname.includes('@')) {
    return { problem: `url: it ends with a path; user and password must be percent-encoded (encodeURIComponent)` };
  }
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  if (url.username === '' && url.password === '') return { base };
  try {
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    return { base, auth: { username, password } };
  } catch {
    return { problem: 'url: user and password must be percent-encoded (encodeURIComponent)' };
  }
}

function isAuth(given: unknown): given is RegistryAuth {
  if (typeof given !== 'object' || given === null) return false;
  const { username, password, token, ...others } = given as Record<string, unknown>;
  if (Object.keys(others).length > 0) return false;
  if (token !== undefined) {
    return username === undefined && password === undefined && /^(string|function)$/.test(typeof token);
  }
  return typeof username === 'string' && typeof password === 'string' && !username.includes(':');
}
