import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { InternalError, messageOf } from '../../lib/index.ts';
import { NoAnswer, type RedisUser, redisFailure } from './errors.ts';
import type { RedisStoreSettings } from './options.ts';

type Client = Redis | Cluster;
type Argument = string | number | Buffer;
type ScriptCall = (...keysAndArguments: Argument[]) => Promise<unknown>;

/** A Lua script, and how many of its arguments are keys. */
export interface Script {
  readonly lua: string;
  readonly numberOfKeys: number;
}

/** What a connection is used for. */
export interface ConnectionUse<Name extends string> {
  readonly user: RedisUser;
  readonly scripts: Readonly<Record<Name, Script>>;
}

/**
 * The client of one store or sink: connects when it is first used, answers only with our errors, and bounds every wait.
 * `Name`: the scripts that it runs.
 */
export class Connection<Name extends string = string> {
  readonly settings: RedisStoreSettings;
  readonly #user: RedisUser;
  readonly #client: Client;
  readonly #secrets: readonly string[];
  /** How often each connection came about; counts from the first one, which loses nothing. */
  readonly #times = new Map<Redis, number>();
  #lastError: unknown;
  /** What makes every further use wrong. */
  #fatal: unknown;
  readonly #withReplica = new Set<string>();
  #isClosed = false;

  constructor(settings: RedisStoreSettings, { user, scripts }: ConnectionUse<Name>) {
    this.settings = settings;
    this.#user = user;
    this.#secrets = secretsOf(settings);
    this.#client = this.#create();
    for (const [name, script] of Object.entries<Script>(scripts))
      this.#client.defineCommand(scriptCommand(name), script);
    // Without a listener ioredis prints errors; commands that fail because of them say so.
    this.#client.on('error', error => this.#failed(error));
    if (this.#client instanceof Cluster) {
      this.#client.on('node error', error => this.#failed(error));
      this.#client.on('+node', (node: Redis) => this.#watch(node));
    } else this.#watch(this.#client);
  }

  /** Runs commands against the store; fails with one of our errors that says which `action` failed. */
  async run<T>(action: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { location, commandTimeoutMs: timeoutMs } = this.settings;
    if (this.#isClosed) throw new InternalError(`The Redis ${this.#user} ${location} is closed: it cannot ${action}.`);
    try {
      return await within(timeoutMs, work(this.#client));
    } catch (error) {
      const connectionError = this.#fatal ?? this.#lastError;
      const secrets = this.#secrets;
      throw redisFailure(error, { user: this.#user, location, action, connectionError, timeoutMs, secrets });
    }
  }

  /** Runs a script. */
  script(action: string, name: Name, keys: readonly string[], ...args: readonly Argument[]): Promise<unknown> {
    return this.run(action, client => {
      const call = (client as unknown as Record<string, ScriptCall>)[scriptCommand(name)] as ScriptCall;
      return call.call(client, ...keys, ...args);
    });
  }

  /** The servers that take writes; connected at the latest after the first command. */
  masters(): readonly Redis[] {
    return this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
  }

  /** Differs when one of the connections is another one than before. */
  epoch(): string {
    return this.masters()
      .map(node => `${node.options.host}:${node.options.port}#${this.#times.get(node) ?? 1}`)
      .sort()
      .join(' ');
  }

  /**
   * Whether a replica was ever connected to this master. Where others may take over, one that is not there any more may be the
   * master by now: what is written to this one may be lost.
   */
  hadReplica(address: string, has: boolean): boolean {
    const { target } = this.settings;
    if (target.kind === 'server' && !target.options.sentinels) return false;
    if (has) this.#withReplica.add(address);
    return this.#withReplica.has(address);
  }

  /** Gives back every socket and timer. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const client = this.#client;
    const isOpen = client.status !== 'end' && client.status !== 'wait' && client.status !== 'reconnecting';
    const ended = isOpen ? new Promise<void>(resolve => client.once('end', () => resolve())) : Promise.resolve();
    client.disconnect();
    // ioredis destroys a socket whose other side does not close it after 2 s.
    await within(3_000, ended).catch(() => {});
  }

  #create(): Client {
    const { target, connectTimeoutMs } = this.settings;
    const ours: RedisOptions & { replyMapping: 'legacy' } = {
      lazyConnect: true,
      replyMapping: 'legacy',
      enableAutoPipelining: false,
      connectTimeout: connectTimeoutMs,
      // Also for what ioredis sends itself while it connects.
      commandTimeout: this.settings.commandTimeoutMs,
      socketTimeout: this.settings.commandTimeoutMs,
      // After a failover the old master is a replica: find the new one and send again.
      reconnectOnError: error => (error.message.includes('READONLY') ? 2 : false),
    };
    if (target.kind === 'server') {
      const retryStrategy = (times: number) => Math.min(50 * 2 ** times, 2_000);
      return new Redis({ maxRetriesPerRequest: 3, retryStrategy, ...target.options, ...ours });
    }
    const { redisOptions, ...options } = target.options;
    return new Cluster([...target.nodes], {
      ...options,
      lazyConnect: true,
      scaleReads: 'master',
      redisOptions: { ...redisOptions, ...ours },
    });
  }

  #watch(node: Redis): void {
    node.on('connect', () => this.#times.set(node, (this.#times.get(node) ?? 0) + 1));
    node.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  #failed(error: unknown): void {
    const cause = (error as { lastNodeError?: unknown }).lastNodeError;
    this.#lastError = cause ?? error;
    // ioredis would go on with database 0, where the state of somebody else may be.
    if (!/DB index is out of range|SELECT/i.test(messageOf(error))) return;
    this.#fatal = error;
    this.#client.disconnect();
  }
}

const scriptCommand = (name: string): string => `tidemark_${name}`;

/** Rejects with `NoAnswer` when `work` takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer('no answer')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function secretsOf({ target }: RedisStoreSettings): string[] {
  const options: RedisOptions = (target.kind === 'server' ? target.options : target.options.redisOptions) ?? {};
  const secrets = [options.password, options.sentinelPassword].filter(secret => typeof secret === 'string');
  return secrets.flatMap(secret => [secret, encodeURIComponent(secret)]).filter(secret => secret.length > 2);
}
