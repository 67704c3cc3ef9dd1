import type { Json } from '../checkpoint/manifest.ts';
import { messageOf } from '../errors.ts';
import type { Source, SourceContext, SourceReader } from './source.ts';

/** Values after which timers, signals and other I/O get their turn, also when each value is there at once. */
const valuesInARow = 256;

/** Pulls an async iterable one value after another, and not at all while the job is paused. */
export function iterableSource<T>(input: AsyncIterable<T>, name: string): Source<T> {
  return {
    kind: 'iterable',
    name,
    bounded: true,
    embedded: true,
    open: (_position, context) => new IterableReader(input, context),
  };
}

class IterableReader<T> implements SourceReader {
  private readonly input: AsyncIterable<T>;
  private readonly context: SourceContext<T>;
  private iterator: AsyncIterator<T> | undefined;
  private isPaused = false;
  private isClosed = false;
  private isPulling = false;
  /** Came after the job was paused, and waits. */
  private pulled: IteratorResult<T> | undefined;

  constructor(input: AsyncIterable<T>, context: SourceContext<T>) {
    this.input = input;
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
    if (this.isClosed) return;
    this.isClosed = true;
    const { iterator } = this;
    this.iterator = undefined;
    // A generator that is suspended in an await of its own answers only later: it is told, but not waited for.
    void (async () => iterator?.return?.())().catch(error => {
      this.context.logger.warn({ error: messageOf(error) }, 'closing the async iterable failed');
    });
  }

  private async pull(): Promise<void> {
    if (this.isPulling) return;
    this.isPulling = true;
    try {
      const iterator = this.iterator ?? this.input[Symbol.asyncIterator]();
      this.iterator = iterator;
      for (let inARow = 1; !this.isPaused && !this.isClosed; inARow++) {
        const pulled = this.pulled ?? (await iterator.next());
        this.pulled = pulled;
        if (inARow % valuesInARow === 0) await new Promise(resolve => setImmediate(resolve));
        if (this.isPaused || this.isClosed) return;
        this.pulled = undefined;
        if (pulled.done) {
          this.iterator = undefined;
          this.isClosed = true;
          this.context.complete();
        } else this.context.next(pulled.value);
      }
    } catch (error) {
      // It has ended by itself: nothing is left to close.
      this.iterator = undefined;
      if (!this.isClosed) this.context.failed(error);
      this.isClosed = true;
    } finally {
      this.isPulling = false;
    }
  }
}
