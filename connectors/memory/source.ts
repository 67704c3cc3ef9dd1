import {
  ExternalError,
  type Json,
  type Source,
  type SourceContext,
  type SourceReader,
  StreamRecord,
  Watermark,
} from '../../lib/index.ts';
import { crash, takeCheckpoint } from './markers.ts';

/** What a `memorySource` holds: values, records with time, watermarks, and markers. */
export type MemoryItem<T> = T | StreamRecord<T> | Watermark | typeof takeCheckpoint | typeof crash;

export interface MemorySourceOptions {
  /** Default `memory`. */
  readonly name?: string;
}

/** A crash that a test asked for with the marker `crash`. */
export class PlannedCrashError extends ExternalError {
  override readonly code = 'PLANNED_CRASH';
}

/**
 * Reads an array, from any position again: for tests of jobs and operators without marbles. All of it is given at once,
 * synchronously, but while the job is paused. One object plays each `crash` once, also over restarts.
 */
export function memorySource<T>(
  items: readonly MemoryItem<T>[],
  { name = 'memory' }: MemorySourceOptions = {},
): Source<T> {
  const crashed = new Set<number>();
  return {
    kind: 'memory',
    name,
    bounded: true,
    embedded: true,
    open: (position, context) => new MemoryReader(items, context, (position as number | undefined) ?? 0, crashed),
  };
}

class MemoryReader<T> implements SourceReader {
  private readonly items: readonly MemoryItem<T>[];
  private readonly context: SourceContext<T>;
  private readonly crashed: Set<number>;
  private at: number;
  private isReading = false;
  private isInside = false;

  constructor(items: readonly MemoryItem<T>[], context: SourceContext<T>, at: number, crashed: Set<number>) {
    this.items = items;
    this.context = context;
    this.at = at;
    this.crashed = crashed;
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
    if (this.isInside) return;
    this.isInside = true;
    while (this.isReading && this.at < this.items.length) this.give(this.at++);
    this.isInside = false;
    if (this.isReading) {
      this.isReading = false;
      this.context.complete();
    }
  }

  progress(): number {
    return this.items.length === 0 ? 1 : this.at / this.items.length;
  }

  close(): void {
    this.isReading = false;
  }

  private give(index: number): void {
    const item = this.items[index] as MemoryItem<T>;
    if (item === takeCheckpoint) this.context.checkpoint();
    else if (item === crash) {
      if (this.crashed.has(index)) return;
      this.crashed.add(index);
      this.isReading = false;
      this.context.error(new PlannedCrashError(`The memory source met a crash marker at item ${index}.`));
    } else if (item instanceof Watermark) this.context.watermark(item.timestamp);
    else if (item instanceof StreamRecord) this.context.next(item.value, item.timestamp);
    else this.context.next(item as T);
  }
}
