import { isObservable, type Observable, type Subscription } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { ExternalError, JobDefinitionError, messageOf } from '../errors.ts';
import { type Source, type SourceContext, type SourceReader, wrapSource } from './source.ts';

/** How many values of a hot Observable wait while the job is paused, and what happens to one more. */
export interface Overflow {
  readonly size: number;
  readonly when: 'error' | 'drop-oldest' | 'drop-newest';
}

export interface PlainSourceOptions {
  readonly buffer?: Overflow;
  readonly name?: string;
}

/** The source itself when it is a connector's; an adapter around an Observable or an async iterable. */
export function adaptSource<T>(
  source: Source<T> | Observable<T> | AsyncIterable<T>,
  options: PlainSourceOptions,
): Source<T> {
  if (isObservable(source)) return observableSource(source, options);
  if (Symbol.asyncIterator in source) return iterableSource(source, options);
  if (typeof source?.open === 'function') {
    return options.name === undefined || options.name === source.name
      ? source
      : wrapSource(source, { name: options.name });
  }
  throw new JobDefinitionError('from() takes a source of a connector, an Observable or an async iterable.');
}

/** Reads a hot Observable through a bounded buffer; what it pushes before a restart is gone, so at-most-once. */
function observableSource<T>(input: Observable<T>, { buffer, name }: PlainSourceOptions): Source<T> {
  const { size, when } = buffer ?? { size: 1_000, when: 'error' };
  return {
    kind: 'observable',
    name: name ?? 'observable',
    bounded: false,
    embedded: true,
    open: (_position, context) => new ObservableReader(input, context, size, when),
  };
}

class ObservableReader<T> implements SourceReader {
  private subscription: Subscription | undefined;
  private waiting: T[] = [];
  private isPaused = false;
  private hasEnded = false;
  private failure: { error: unknown } | undefined;
  private readonly input: Observable<T>;
  private readonly context: SourceContext<T>;
  private readonly size: number;
  private readonly when: Overflow['when'];

  constructor(input: Observable<T>, context: SourceContext<T>, size: number, when: Overflow['when']) {
    this.input = input;
    this.context = context;
    this.size = size;
    this.when = when;
  }

  start(): void {
    this.subscription = this.input.subscribe({
      next: value => this.take(value),
      error: error => {
        this.failure = { error };
        if (!this.isPaused) this.end();
      },
      complete: () => {
        this.hasEnded = true;
        if (!this.isPaused) this.end();
      },
    });
  }

  position(): Json {
    return null;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const waiting = this.waiting;
    this.waiting = [];
    if (waiting.length) this.context.batch(waiting);
    if (!this.isPaused) this.end();
  }

  close(): void {
    this.subscription?.unsubscribe();
    this.waiting = [];
  }

  private take(value: T): void {
    if (!this.isPaused) {
      this.context.next(value);
    } else if (this.waiting.length < this.size) {
      this.waiting.push(value);
    } else if (this.when === 'error') {
      this.subscription?.unsubscribe();
      this.context.error(
        new ExternalError(
          `The Observable source pushed more than ${this.size} values while the job was paused. ` +
            'Give from() a larger buffer, let it drop values, or make the sinks faster.',
        ),
      );
    } else if (this.when === 'drop-oldest') {
      this.waiting.shift();
      this.waiting.push(value);
    }
  }

  private end(): void {
    if (this.failure) this.context.failed(this.failure.error);
    else if (this.hasEnded) this.context.complete();
  }
}

/** Pulls an async iterable one value after another, and not at all while the job is paused. */
function iterableSource<T>(input: AsyncIterable<T>, { name }: PlainSourceOptions): Source<T> {
  return {
    kind: 'iterable',
    name: name ?? 'iterable',
    bounded: true,
    embedded: true,
    open: (_position, context) => new IterableReader(input, context),
  };
}

class IterableReader<T> implements SourceReader {
  private readonly iterator: AsyncIterator<T>;
  private readonly context: SourceContext<T>;
  private isPaused = false;
  private isClosed = false;
  private isPulling = false;

  constructor(input: AsyncIterable<T>, context: SourceContext<T>) {
    this.iterator = input[Symbol.asyncIterator]();
    this.context = context;
  }

  start(): void {
    void this.pull();
  }

  position(): Json {
    return null;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    void this.pull();
  }

  close(): void {
    this.isClosed = true;
    // A generator that is suspended in an await of its own answers only later: it is told, but not waited for.
    void Promise.resolve(this.iterator.return?.()).catch(error => {
      this.context.logger.warn({ error: messageOf(error) }, 'closing the async iterable failed');
    });
  }

  private async pull(): Promise<void> {
    if (this.isPulling) return;
    this.isPulling = true;
    try {
      while (!this.isPaused && !this.isClosed) {
        const { done, value } = await this.iterator.next();
        if (this.isClosed) return;
        if (done) {
          this.context.complete();
          return;
        }
        this.context.next(value);
      }
    } catch (error) {
      if (!this.isClosed) this.context.failed(error);
    } finally {
      this.isPulling = false;
    }
  }
}
