import { type Observable, Subscriber } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { ExternalError } from '../errors.ts';
import { feeding } from '../stream/data-stream.ts';
import { type Overflow, OverflowBuffer } from './overflow-buffer.ts';
import type { Source, SourceContext, SourceReader } from './source.ts';

/** Reads a hot Observable through a bounded buffer; what it pushes before a restart is gone, so at-most-once. */
export function observableSource<T>(input: Observable<T>, name: string, overflow: Overflow): Source<T> {
  return {
    kind: 'observable',
    name,
    bounded: false,
    embedded: true,
    open: (_position, context) => new ObservableReader(input, name, context, overflow),
  };
}

class ObservableReader<T> implements SourceReader {
  private readonly input: Observable<T>;
  private readonly name: string;
  private readonly context: SourceContext<T>;
  private readonly overflow: Overflow;
  private readonly waiting: OverflowBuffer<T>;
  private readonly feed: Feed<T>;
  private isPaused = false;
  /** Tells how the input ended, once, behind what waits. */
  private tellEnd: (() => void) | undefined;

  constructor(input: Observable<T>, name: string, context: SourceContext<T>, overflow: Overflow) {
    this.input = input;
    this.name = name;
    this.context = context;
    this.overflow = overflow;
    this.waiting = new OverflowBuffer(overflow);
    this.feed = new Feed(
      value => this.take(value),
      tellEnd => this.end(tellEnd),
      context,
    );
  }

  start(): void {
    const { feed } = this;
    const outer = feeding.source;
    feeding.source = this.name;
    feeding.failure = undefined;
    this.input.subscribe(feed);
    feeding.source = outer;
    feed.isSubscribing = false;
    if (feeding.failure !== undefined) this.context.error(feeding.failure);
  }

  position(): Json {
    return null;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const { dropped } = this.waiting;
    if (dropped > 0) {
      this.context.logger.warn({ source: this.name, dropped }, 'the Observable pushed more than the buffer holds');
    }
    const values = this.waiting.takeAll();
    if (values.length > 0) this.context.batch(values);
    if (!this.isPaused) this.end(undefined);
  }

  close(): void {
    this.feed.unsubscribe();
    this.waiting.takeAll();
  }

  private take(value: T): void {
    if (!this.isPaused) this.context.next(value);
    else if (!this.waiting.push(value)) {
      this.feed.unsubscribe();
      this.context.error(
        new ExternalError(
          `The Observable of the source "${this.name}" pushed more than ${this.overflow.size} values while the job was paused. ` +
            'Give from() a larger buffer, let it drop values, or make the sinks faster.',
        ),
      );
    }
  }

  private end(tellEnd: (() => void) | undefined): void {
    this.tellEnd ??= tellEnd;
    if (this.isPaused) return;
    const tell = this.tellEnd;
    this.tellEnd = undefined;
    tell?.();
  }
}

/** Takes what the Observable pushes; a subscriber of its own can be closed while a synchronous one still pushes. */
class Feed<T> extends Subscriber<T> {
  /** The Observable pushes while it is being subscribed: what it is made of is still looked at, what it feeds is not. */
  isSubscribing = true;
  private readonly take: (value: T) => void;
  private readonly end: (tellEnd: () => void) => void;
  private readonly context: SourceContext<T>;

  constructor(take: (value: T) => void, end: (tellEnd: () => void) => void, context: SourceContext<T>) {
    super();
    this.take = take;
    this.end = end;
    this.context = context;
  }

  protected override _next(value: T): void {
    if (this.isSubscribing) this.notFeeding(() => this.take(value));
    else this.take(value);
  }

  protected override _error(error: unknown): void {
    this.notFeeding(() => this.end(() => this.context.failed(error)));
    this.unsubscribe();
  }

  protected override _complete(): void {
    this.notFeeding(() => this.end(() => this.context.complete()));
    this.unsubscribe();
  }

  private notFeeding(work: () => void): void {
    const outer = feeding.source;
    feeding.source = undefined;
    work();
    feeding.source = outer;
  }
}
