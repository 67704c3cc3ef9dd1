import type { Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';

// What kafkajs 2.2.4 has inside, as far as it is used here. The version is pinned exactly; nothing else imports it.

/** One connection to one broker: socket, TLS, SASL, the frames of answers and who waits for which. */
export interface KafkajsConnection {
  /** There once `connect` was called. */
  readonly socket: Socket | undefined;
  readonly requestQueue: KafkajsRequestQueue;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  /** Does nothing without SASL or when authenticated already; needs the versions. */
  authenticate(): Promise<void>;
  nextCorrelationId(): number;
  setVersions(versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
}

export interface KafkajsRequestQueue {
  /** Calls `sendRequest`, at once; `entry` hears of the answer. */
  push(request: {
    readonly entry: {
      readonly apiKey: number;
      readonly apiName: string;
      readonly apiVersion: number;
      readonly correlationId: number;
      resolve(answer: { readonly payload: Buffer | null }): void;
      reject(error: Error): void;
    };
    readonly expectResponse: boolean;
    /** In ms; counts where it is longer than that of the connection. */
    readonly requestTimeout: number;
    sendRequest(): void;
  }): void;
  rejectAll(error: Error): void;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
}

/** One round of a SASL exchange: the bytes that are sent, and what is made of those that come back. */
export type SaslAuthenticate = (round: {
  readonly request: { encode(): Promise<Buffer> };
  readonly response: { decode(bytes: Buffer | null): Promise<Buffer | null>; parse(bytes: Buffer | null): unknown };
}) => Promise<unknown>;

export interface KafkajsSasl {
  readonly mechanism: string;
  readonly username?: string;
  readonly password?: string;
  readonly authenticationProvider?: (round: { readonly saslAuthenticate: SaslAuthenticate }) => {
    authenticate(): Promise<void>;
  };
}

export interface KafkajsOptions {
  readonly clientId: string;
  readonly sasl: KafkajsSasl | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** What kafkajs has to say of a warning or an error; it throws it as well. */
  readonly log: (message: string, fields: { readonly broker?: string }) => void;
  readonly openSocket: (where: { host: string; port: number; onConnect: () => void }) => Socket;
}

interface Cluster {
  readonly connectionPoolBuilder: {
    build(where: { host: string; port: number }): Promise<{ readonly pool: readonly KafkajsConnection[] }>;
  };
}

type CreateCluster = (options: { readonly metadataMaxAge: number }) => Cluster;

/** Makes connections, unconnected ones. */
export type OpenConnection = (where: { host: string; port: number }) => Promise<KafkajsConnection>;

export function kafkajsConnections(options: KafkajsOptions): OpenConnection {
  const { clientId, sasl, connectTimeoutMs, requestTimeoutMs, log, openSocket } = options;
  const kafka = new Kafka({
    brokers: ['unused:0'],
    clientId,
    ...(sasl === undefined ? {} : { sasl: sasl as never }),
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    socketFactory: openSocket as never,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log: { message, broker } }) =>
        log(message, broker === undefined ? {} : { broker }),
  });
  const cluster = createCluster(kafka)({ metadataMaxAge: 0 });
  return async where => {
    const [connection] = (await cluster.connectionPoolBuilder.build(where)).pool;
    if (connection === undefined) throw new Error('kafkajs made no connection: another version than 2.2.4?');
    // It sets a timer for every answer, with a negative timeout at that (its issue #1751). There is nothing to look
    // after: we limit nothing, and a broker that throttles keeps the next request waiting itself (KIP-219).
    connection.requestQueue.scheduleCheckPendingRequests = () => {};
    return connection;
  };
}

function createCluster(kafka: Kafka): CreateCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === clusterFactory);
  const create = symbol === undefined ? undefined : (kafka as unknown as Record<symbol, unknown>)[symbol];
  if (typeof create !== 'function') throw new Error(`kafkajs has no ${clusterFactory}: another version than 2.2.4?`);
  return create as CreateCluster;
}

const clusterFactory = 'private:Kafka:createCluster';
