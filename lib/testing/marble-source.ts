import type { Json } from '../checkpoint/manifest.ts';
import { StreamRecord } from '../stream/elements.ts';
import type { Source, SourceContext, SourceReader } from '../task/source.ts';
import type { MarbleEvent } from './marble-elements.ts';

type Happening = MarbleEvent['what'];

/**
 * A replayable source that a test feeds: what was pushed stays in a log, and a reader that is opened at an older position gets
 * the rest of the log at once.
 */
export class MarbleSource implements Source<unknown> {
  readonly kind = 'marbles';
  readonly name: string;
  readonly bounded = true;
  readonly embedded = true;
  private readonly log: Happening[] = [];
  private reader: MarbleReader | undefined;

  constructor(name: string) {
    this.name = name;
  }

  open(position: Json | undefined, context: SourceContext<unknown>): SourceReader {
    this.reader = new MarbleReader(this.log, context, (position as number | undefined) ?? 0);
    return this.reader;
  }

  push(what: Happening): void {
    this.log.push(what);
    this.reader?.read();
  }
}

class MarbleReader implements SourceReader {
  private readonly log: readonly Happening[];
  private readonly context: SourceContext<unknown>;
  private at: number;
  private isReading = false;

  constructor(log: readonly Happening[], context: SourceContext<unknown>, at: number) {
    this.log = log;
    this.context = context;
    this.at = at;
  }

  start(): void {
    this.resume();
  }

  position(): Json {
    return this.at;
  }

  pause(): void {
    this.isReading = false;
  }

  resume(): void {
    this.isReading = true;
    this.read();
  }

  close(): void {
    this.isReading = false;
  }

  read(): void {
    while (this.isReading && this.at < this.log.length) {
      const what = this.log[this.at++] as Happening;
      if (what.kind === 'value') {
        const { value } = what;
        if (value instanceof StreamRecord) this.context.next(value.value, value.timestamp);
        else this.context.next(value);
      } else if (what.kind === 'watermark') this.context.watermark(what.timestamp);
      else if (what.kind === 'error') this.context.failed(what.error);
      else if (what.kind === 'complete') this.context.complete();
    }
  }
}
