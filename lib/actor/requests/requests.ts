import type { Key } from '../../stream/elements.ts';

/** What a request is told beside its value. */
export interface RequestContext {
  /** The key of the record, `undefined` while the stream has none. */
  readonly key: Key | undefined;
  /** Aborted when the attempt takes longer than its timeout, and when the job stops. */
  readonly signal: AbortSignal;
  /** 1 for the first; begins at 1 again after a restore. */
  readonly attempt: number;
}

/** The waits between the attempts of a request, in ms. */
export interface Backoff {
  readonly initial: number;
  readonly max: number;
  readonly factor: number;
}

/**
 * Requests to the outside that an actor makes with `ctx.request(value)`. They are part of the snapshot until their answer has been
 * handled, and are made again after a restore. Watermarks wait for those before them.
 */
export interface Requests<Q, A> {
  /** Begins an attempt. What it throws counts as what it rejects with. */
  send(request: Q, context: RequestContext): PromiseLike<A>;
  /** Whether answers are handled in the order of the requests, which is the default, or as they come. */
  readonly ordered?: boolean;
  /** Requests under way at most, which counts one until its answer has been handled; 100 when left out. */
  readonly concurrency?: number;
  /** ms; how long one attempt may take. */
  readonly timeoutMs?: number;
  /** Attempts in all; 1 when left out. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** Whether another attempt may help; always when left out. */
  isRetriable?(error: unknown): boolean;
  /** Takes the place of the answer after the last attempt; what it throws goes to supervision in the place of `error`. */
  fallback?(error: unknown, request: Q): A;
}

/** A request as the snapshot keeps it. */
export type StoredRequest = readonly [
  request: unknown,
  /** As `mapKey` gives it. */
  key: string | number | bigint | boolean,
  timestamp: number,
  /** The last watermark before the request. */
  after: number,
];
