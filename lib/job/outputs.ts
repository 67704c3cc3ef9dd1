import { type Observable, Subject } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { CreditHolder, Sink, SinkWriter } from '../task/sink.ts';
import type { Side } from './handle.ts';

interface Readers {
  readonly live: Subject<unknown>;
  readonly committed: Subject<unknown>;
}

/** What the application reads of a job: live as it passes, or committed only. Nobody here can stop or fail the task. */
export class Outputs {
  /** How many values nobody read in this incarnation, by tag. */
  readonly dropped = new Map<string, number>();
  private readonly readers = new Map<string, Readers>();
  private readonly logger: Logger;
  private isCompleted = false;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** Completes when the job has ended; at once when it has already. */
  observe<V>(tag: Side<V>, isCommitted: boolean): Observable<V> {
    const { live, committed } = this.of(tag.name);
    return (isCommitted ? committed : live).asObservable() as Observable<V>;
  }

  /** A new incarnation of the task begins, and counts from 0. */
  restarted(): void {
    this.dropped.clear();
  }

  /** The job has ended: completes every reader. */
  complete(): void {
    this.isCompleted = true;
    for (const { live, committed } of this.readers.values()) {
      live.complete();
      committed.complete();
    }
  }

  /** The sink behind `to(tag)`, and behind side outputs that no stream of the job reads. */
  sinkFor(tag: Side<unknown>): Sink<unknown> {
    return {
      kind: 'output',
      name: `output:${tag.name}`,
      guarantee: 'none',
      open: context => new OutputWriter(this, tag.name, context.credits),
    };
  }

  /** Gives a value to those who read live; answers whether it must be kept for those who read what is committed. */
  passed(name: string, value: unknown): boolean {
    const { live, committed } = this.of(name);
    if (live.observed) this.tell(name, live, value);
    else if (!committed.observed) this.dropped.set(name, (this.dropped.get(name) ?? 0) + 1);
    return committed.observed;
  }

  deliverCommitted(name: string, values: readonly unknown[]): void {
    const { committed } = this.of(name);
    for (const value of values) this.tell(name, committed, value);
  }

  private of(name: string): Readers {
    let readers = this.readers.get(name);
    if (!readers) {
      readers = { live: new Subject(), committed: new Subject() };
      this.readers.set(name, readers);
      if (this.isCompleted) this.complete();
    }
    return readers;
  }

  /** RxJS reports what a reader throws to its own hook; where it is set to throw at once, that ends here. */
  private tell(name: string, readers: Subject<unknown>, value: unknown): void {
    try {
      readers.next(value);
    } catch (error) {
      this.logger.error({ output: name, error: messageOf(error) }, 'a reader of the output threw');
    }
  }
}

/** Tells live readers at once, and committed ones after the checkpoint that covers a value; at-most-once across a crash. */
class OutputWriter implements SinkWriter<unknown> {
  private current: unknown[] = [];
  private lined: unknown[] = [];
  private readonly outputs: Outputs;
  private readonly name: string;
  private readonly credits: CreditHolder;

  constructor(outputs: Outputs, name: string, credits: CreditHolder) {
    this.outputs = outputs;
    this.name = name;
    this.credits = credits;
  }

  restore(): void {}

  write(value: unknown): void {
    if (!this.outputs.passed(this.name, value)) return;
    this.credits.acquire(1);
    this.current.push(value);
  }

  barrier(): void {
    this.lined = this.lined.length === 0 ? this.current : this.lined.concat(this.current);
    this.current = [];
  }

  flush(): Json {
    return null;
  }

  commit(): void {
    const values = this.lined;
    this.lined = [];
    this.outputs.deliverCommitted(this.name, values);
    // Last: sources may resume at once, and what they give comes behind these values.
    this.credits.release(values.length);
  }

  abandon(): void {}

  close(): void {
    this.credits.release(this.current.length + this.lined.length);
    this.current = [];
    this.lined = [];
  }
}
