import { messageOf, type TidemarkError } from '../../../../lib/index.ts';
import { KafkaAnswerError, KafkaConnectionError } from '../../errors.ts';
import { type Api, decodeAnswer, encodeRequest } from '../wire/api/api.ts';
import { type ApiVersions, apiVersionsApi } from '../wire/api/cluster.ts';
import { apiKey } from '../wire/api/keys.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import { kafkaFailure } from './failure.ts';
import type { KafkajsConnection, OpenConnection } from './internals.ts';

/** What all lanes of a client have in common. */
export interface LaneSettings {
  readonly open: OpenConnection;
  readonly clientId: string;
  readonly hasSasl: boolean;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly secrets: readonly string[];
}

export interface Asking {
  /** How long the broker may take on top of the usual, in ms. */
  readonly moreMs?: number;
  /** How long it may take in place of the usual, in ms. */
  readonly withinMs?: number;
  readonly expectsAnswer?: boolean;
  /** About how long the encoded request is. */
  readonly bytesExpected?: number;
}

interface Job {
  send(connection: KafkajsConnection, versions: ApiVersions): void;
  reject(error: TidemarkError): void;
}

const leastBetweenRenewalsMs = 2_000;

/**
 * One connection to a broker, made when it is needed and again after it was lost. Requests go out in the order in which
 * they were asked for and are answered in that order: the broker takes one at a time from a connection.
 */
export class Lane {
  /** `host:port`, for messages. */
  readonly #address: string;
  readonly #where: { host: string; port: number };
  readonly #settings: LaneSettings;
  #connection: KafkajsConnection | undefined;
  #versions: ApiVersions | undefined;
  #letInAt = Number.NEGATIVE_INFINITY;
  #isOpening = false;
  #isClosed = false;
  #waiting: Job[] = [];

  constructor(address: string, where: { host: string; port: number }, settings: LaneSettings) {
    this.#address = address;
    this.#where = where;
    this.#settings = settings;
  }

  /** While connected: what the broker understands. */
  get versions(): ApiVersions | undefined {
    return this.#connection === undefined ? undefined : this.#versions;
  }

  /** Encoded and written at once when there is a connection; `request` must not change until then. */
  ask<Q, A>(api: Api<Q, A>, request: Q, asking: Asking = {}): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      const job: Job = {
        reject,
        send: (connection, versions) => {
          try {
            const version = this.#versionOf(api, versions);
            this.#send(connection, api, version, request, asking).then(resolve, reject);
          } catch (error) {
            reject(error);
          }
        },
      };
      if (this.#isClosed) return reject(this.#closedError());
      const { connection, versions } = this.#ready();
      if (connection && versions) return job.send(connection, versions);
      this.#waiting.push(job);
      if (!this.#isOpening) void this.#open();
    });
  }

  /** Ends the connection; what waits for an answer fails. */
  close(): void {
    this.#isClosed = true;
    this.#drop(this.#connection, this.#closedError());
    this.#failWaiting(this.#closedError());
  }

  /** Nothing may overtake those who wait for the connection, and nobody uses a session that is about to end. */
  #ready(): { connection?: KafkajsConnection | undefined; versions?: ApiVersions | undefined } {
    const isLetIn = !this.#settings.hasSasl || this.#connection?.isAuthenticated() || this.#wasLetInJustNow();
    const isUsable = !this.#isOpening && isLetIn;
    return isUsable ? { connection: this.#connection, versions: this.#versions } : {};
  }

  /** A broker does not renew a session within a second: one that a token makes short is used as it is. */
  #wasLetInJustNow(): boolean {
    return performance.now() - this.#letInAt < leastBetweenRenewalsMs;
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    try {
      // Open already: only the session of SASL is renewed.
      const connection = this.#connection ?? (await this.#connect());
      await this.#inTime(connection.authenticate(), this.#settings.requestTimeoutMs);
      this.#letInAt = performance.now();
      const { versions } = this;
      if (this.#isClosed || versions === undefined) throw this.#closedError();
      this.#isOpening = false;
      for (const job of this.#waiting.splice(0)) job.send(connection, versions);
    } catch (error) {
      this.#isOpening = false;
      const failure = this.#failure(error, 'let this client connect');
      this.#drop(this.#connection, failure);
      this.#failWaiting(failure);
    }
  }

  /** Fails when `work` takes longer: a broker, or a function that is to give a token, that says nothing holds nobody up for ever. */
  async #inTime<T>(work: Promise<T>, ms: number): Promise<T> {
    work.catch(() => {}); // it may fail when nobody looks any more
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms: the connection was closed`)), ms);
    timer.unref();
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(): Promise<KafkajsConnection> {
    const { open, connectTimeoutMs } = this.#settings;
    const connection = await open(this.#where);
    if (this.#isClosed) throw this.#closedError();
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {}); // looked at while connecting only
    const connecting = connection.connect();
    this.#connection = connection;
    const { socket } = connection;
    socket?.once('close', () => {
      const error = this.#failure(new Error('the connection was closed'), 'keep the connection');
      lost.reject(error);
      this.#drop(connection, error);
    });
    socket?.once('end', () => this.#forget(connection));
    try {
      await Promise.race([connecting, lost.promise]);
      const { versions } = await Promise.race([
        // kafkajs would wait for its own, longer time; and there may be another broker to ask within that of connecting.
        this.#inTime(
          this.#send(connection, apiVersionsApi, 0, undefined, { withinMs: connectTimeoutMs }),
          connectTimeoutMs / 2,
        ),
        lost.promise,
      ]);
      this.#versions = versions;
      connection.setVersions(versions);
      connection.setSupportAuthenticationProtocol((apiKey('SaslAuthenticate') as number) in versions);
      return connection;
    } catch (error) {
      connecting.catch(() => {});
      this.#drop(connection, this.#failure(error, 'let this client connect'));
      throw error;
    }
  }

  #send<Q, A>(
    connection: KafkajsConnection,
    api: Api<Q, A>,
    version: number,
    request: Q,
    { moreMs = 0, withinMs = this.#settings.requestTimeoutMs, expectsAnswer = true, bytesExpected }: Asking,
  ): Promise<A> {
    const correlationId = connection.nextCorrelationId();
    const bytes = encodeRequest(
      api,
      version,
      { correlationId, clientId: this.#settings.clientId },
      request,
      bytesExpected,
    );
    return new Promise<A>((resolve, reject) => {
      const fail = (error: unknown) => {
        const failure = this.#failure(error, `answer ${api.name}`);
        reject(failure);
        // It may answer late, or never: what else it was asked on this connection waits behind that.
        if ((error as Error).name === 'KafkaJSRequestTimeoutError') this.#drop(connection, failure);
      };
      connection.requestQueue.push({
        entry: {
          apiKey: api.key,
          apiName: api.name,
          apiVersion: version,
          correlationId,
          resolve: ({ payload }) => {
            // Without an answer there is nothing to read, and A is what an empty one would be.
            if (!expectsAnswer || payload === null) return resolve(undefined as A);
            try {
              resolve(decodeAnswer(api, version, new ByteReader(payload)));
            } catch (error) {
              fail(new Error(`its answer cannot be read: ${messageOf(error)}`));
            }
          },
          reject: fail,
        },
        expectResponse: expectsAnswer,
        requestTimeout: withinMs + moreMs,
        sendRequest: () => void connection.socket?.write(bytes),
      });
    });
  }

  #versionOf<Q, A>({ name, key, lowest, highest }: Api<Q, A>, versions: ApiVersions): number {
    const { minVersion = 0, maxVersion = -1 } = versions[key] ?? {};
    const version = Math.min(highest, maxVersion);
    if (version >= Math.max(lowest, minVersion)) return version;
    const theirs = maxVersion < 0 ? 'does not know it' : `speaks versions ${minVersion} to ${maxVersion}`;
    throw new KafkaAnswerError(
      'UNSUPPORTED_VERSION',
      `The Kafka broker at ${this.#address} cannot be asked ${name}: it ${theirs}, this client ${lowest} to ${highest}. Kafka 2.5 or newer is needed.`,
      { context: { broker: this.#address } },
    );
  }

  /** The next request makes another connection. */
  #forget(connection: KafkajsConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  #drop(connection: KafkajsConnection | undefined, why: TidemarkError): void {
    if (connection === undefined) return;
    this.#forget(connection);
    connection.requestQueue.rejectAll(why);
    connection.requestQueue.destroy();
    // While connecting, only an error makes kafkajs clear its timer.
    connection.socket?.destroy(connection.isConnected() ? undefined : why);
    // Brings kafkajs's own state in order; its timers are gone already.
    void connection.disconnect().catch(() => {});
  }

  #failWaiting(error: TidemarkError): void {
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }

  #failure(error: unknown, action: string): TidemarkError {
    return kafkaFailure(error, { broker: this.#address, action, secrets: this.#settings.secrets });
  }

  #closedError(): TidemarkError {
    return new KafkaConnectionError(`The Kafka client was closed before the broker at ${this.#address} answered.`, {
      context: { broker: this.#address },
    });
  }
}
