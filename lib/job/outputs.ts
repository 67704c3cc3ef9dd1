import { Observable, Subject, type Subscriber } from 'rxjs';
import type { Json } from '../checkpoint/manifest.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { CreditHolder, Sink, SinkWriter } from '../task/sink.ts';
import type { Side } from './handle.ts';

/** What the application reads of a job: live as it passes, or committed only. Nobody here can stop or fail the task. */
export class Outputs {
  /** How many values nobody read, by tag. */
  readonly dropped = new Map<string, number>();
  private readonly live = new Map<string, Set<Subscriber<unknown>>>();
  private readonly committed = new Map<string, Subject<unknown>>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  observe<V>(tag: Side<V>, isCommitted: boolean): Observable<V> {
    return new Observable<V>(subscriber => {
      if (isCommitted) {
        const subject = this.committedSubject(tag.name);
        return subject.subscribe(value => subscriber.next(value as V));
      }
      const subscribers = this.live.get(tag.name) ?? new Set();
      this.live.set(tag.name, subscribers);
      subscribers.add(subscriber as Subscriber<unknown>);
      return () => subscribers.delete(subscriber as Subscriber<unknown>);
    });
  }

  /** The job has ended: completes every reader. */
  complete(): void {
    for (const subscribers of this.live.values()) for (const subscriber of [...subscribers]) subscriber.complete();
    for (const subject of this.committed.values()) subject.complete();
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

  /** Counts a value that nobody read. */
  drop(name: string): void {
    this.dropped.set(name, (this.dropped.get(name) ?? 0) + 1);
  }

  hasCommittedReaders(name: string): boolean {
    return this.committed.get(name)?.observed ?? false;
  }

  deliver(name: string, value: unknown): boolean {
    const subscribers = this.live.get(name);
    if (!subscribers || subscribers.size === 0) return false;
    for (const subscriber of subscribers) this.tell(name, () => subscriber.next(value));
    return true;
  }

  deliverCommitted(name: string, values: readonly unknown[]): void {
    const subject = this.committedSubject(name);
    for (const value of values) this.tell(name, () => subject.next(value));
  }

  private committedSubject(name: string): Subject<unknown> {
    const subject = this.committed.get(name) ?? new Subject<unknown>();
    this.committed.set(name, subject);
    return subject;
  }

  private tell(name: string, deliver: () => void): void {
    try {
      deliver();
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
    const isSeen = this.outputs.deliver(this.name, value);
    if (!this.outputs.hasCommittedReaders(this.name)) {
      if (!isSeen) this.outputs.drop(this.name);
      return;
    }
    this.credits.acquire(1);
    this.current.push(value);
  }

  barrier(): void {
    this.lined.push(...this.current);
    this.current = [];
  }

  flush(): Json {
    return null;
  }

  commit(): void {
    const values = this.lined;
    this.lined = [];
    this.credits.release(values.length);
    this.outputs.deliverCommitted(this.name, values);
  }

  abandon(): void {}

  close(): void {
    this.credits.release(this.current.length + this.lined.length);
    this.current = [];
    this.lined = [];
  }
}
