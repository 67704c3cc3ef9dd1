import {
  actor,
  type Backoff,
  type Duration,
  JobDefinitionError,
  type KeyOrNone,
  type Op,
  type RequestContext,
  type Supervision,
} from '../lib/index.ts';
import { knownOptions } from './options/known-options.ts';
import { msOf, neededMs } from './windows/options.ts';

export interface MapAsyncOptions<T, R> {
  /** `true`, the default: results in the order of the records. `false`: as they come. */
  readonly ordered?: boolean;
  /**
   * Records under way at most: those whose result has not come, or waits for the results before it. 100 when left out. While there
   * are as many the sources are paused.
   */
  readonly concurrency?: number;
  /** How long an attempt may take; for ever when left out. Then its signal is aborted, and it counts as failed. */
  readonly timeout?: Duration;
  /** Without it there is one attempt. */
  readonly retry?: RetryOptions;
  /** The result of a record whose last attempt has failed, in the place of `supervise`. */
  readonly fallback?: (error: unknown, value: T) => R;
  /**
   * What becomes of a record whose last attempt has failed: `restart`, the default, brings the task back from its checkpoint; `skip`
   * sends it to the dead letters.
   */
  readonly supervise?: Exclude<Supervision, 'reset'>;
}

export interface RetryOptions {
  /** In all, the first one included. */
  readonly attempts: number;
  /**
   * The wait before the next attempt: `initial` (100 ms when left out), `factor` times as long after each (2), at most `max` (10 s);
   * each by chance between half of that and all of it.
   */
  readonly backoff?: { readonly initial?: Duration; readonly max?: Duration; readonly factor?: number };
  /** Whether another attempt may help; always when left out. */
  readonly when?: (error: unknown) => boolean;
}

/**
 * The result of an asynchronous call for each record, with retries, order and backpressure, checkpointed.
 *
 *     in    -a-b-B-X-c-|      both calls take long: X kills the job, and b is called again
 *     out   -----B---a-b-c-|
 *
 * Emits when a call answers, in the order of the records unless `ordered` is `false`. Watermarks wait for the records before them,
 * barriers for nothing.
 * State: the records whose results have not been emitted; after a restore they are called for again. So each gives one result,
 * exactly once, but may be called for several times.
 * Fails when the last attempt for a record has failed and there is no `fallback`; what happens then, `supervise` says.
 * Completes when its input has and the last result was emitted.
 */
export function mapAsync<T, R>(
  name: string,
  project: (value: T, context: RequestContext) => PromiseLike<R>,
  options: MapAsyncOptions<T, R> = {},
): Op<T, R> {
  const operator = `mapAsync("${name}")`;
  if (typeof project !== 'function') {
    throw new JobDefinitionError(
      `${operator} takes the function that makes the call second: mapAsync(name, async value => …).`,
    );
  }
  knownOptions(operator, options, ['ordered', 'concurrency', 'timeout', 'retry', 'fallback', 'supervise']);
  if (options.retry !== undefined) knownOptions(`${operator}: retry`, options.retry, ['attempts', 'backoff', 'when']);
  if (options.fallback !== undefined && typeof options.fallback !== 'function') {
    throw new JobDefinitionError(`${operator}: fallback is no function: it makes the result of (error, value).`);
  }
  const { ordered = true, concurrency = 100, timeout, retry, fallback, supervise = 'restart' } = options;
  const attempts = retry?.attempts ?? 1;
  wholeFromOne(operator, 'concurrency', concurrency);
  wholeFromOne(operator, 'retry.attempts', attempts);
  if (supervise !== 'restart' && supervise !== 'skip') {
    throw new JobDefinitionError(`${operator}: supervise is ${JSON.stringify(supervise)}: give 'restart' or 'skip'.`);
  }
  const timeoutMs = msOf(operator, 'timeout', timeout, 1);
  return actor<T, undefined, R, KeyOrNone, Readonly<Record<never, never>>, T, R>(name, {
    update: 'return',
    initial: () => undefined,
    receive(_, value, ctx) {
      ctx.request(value);
    },
    requests: {
      send: project,
      ordered,
      concurrency,
      attempts,
      backoff: backoffOf(operator, retry),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(retry?.when && { isRetriable: retry.when }),
      ...(fallback && { fallback }),
    },
    onAnswer(_, result, ctx) {
      ctx.emit(result);
    },
    supervise,
  }) as Op<T, R>;
}

function backoffOf(operator: string, retry: RetryOptions | undefined): Backoff {
  const { initial = 100, max = '10s', factor = 2 } = retry?.backoff ?? {};
  if (!(factor >= 1) || factor === Number.POSITIVE_INFINITY) {
    throw new JobDefinitionError(`${operator}: retry.backoff.factor is ${factor}: give a number of 1 or more.`);
  }
  return {
    initial: neededMs(operator, 'retry.backoff.initial', initial, 0),
    max: neededMs(operator, 'retry.backoff.max', max, 0),
    factor,
  };
}

function wholeFromOne(operator: string, option: string, given: number): void {
  if (Number.isInteger(given) && given >= 1) return;
  throw new JobDefinitionError(`${operator}: ${option} is ${String(given)}: give a whole number of 1 or more.`);
}
