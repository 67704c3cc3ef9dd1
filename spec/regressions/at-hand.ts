import { VirtualTimeScheduler } from 'rxjs';
import { memorySink } from '../../connectors/memory/index.ts';
import {
  type DataStream,
  from,
  type JobSettings,
  type JobStreams,
  job,
  type Manifest,
  memoryStore,
  type Sink,
  type SinkContext,
  type SinkWriter,
  type Source,
  type SourceContext,
  type SourceReader,
  type StoredManifest,
  start,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { quiet } from '../job/quiet.ts';

type Handle = ReturnType<typeof start>;

/**
 * One job at a time on a store, with a source that the spec feeds and a sink, both of which outlive it. Nothing happens by
 * itself: checkpoints are asked for, a failure is the end, and time passes when the spec says so.
 */
export class AtHand {
  readonly store = memoryStore();
  readonly scheduler = new VirtualTimeScheduler();
  readonly source = new MarbleSource('in');
  readonly sink = memorySink<unknown>();

  /** Starts a job on what the source gives; each start goes on from what the last one committed. */
  start(build: (input: DataStream<number>) => JobStreams, settings: JobSettings = {}, source = this.input): Handle {
    return start(
      job('at-hand', () => build(from(source))),
      {
        restart: { strategy: 'none' },
        logger: quiet,
        store: this.store,
        scheduler: this.scheduler,
        ...settings,
        checkpoint: { interval: 'off', ...settings.checkpoint },
      },
    );
  }

  get input(): Source<number> {
    return this.source as Source<unknown> as Source<number>;
  }

  push(...values: readonly unknown[]): void {
    for (const value of values) this.source.push({ kind: 'value', value });
  }

  complete(): void {
    this.source.push({ kind: 'complete' });
  }

  /** Lets `ms` of virtual time pass. */
  passes(ms: number): void {
    const { scheduler } = this;
    scheduler.maxFrames = scheduler.now() + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  }

  /** The newest committed checkpoint. */
  get committed(): Manifest | undefined {
    const stored = this.store.task({ job: 'at-hand', task: 'main' }).manifests() as readonly StoredManifest[];
    return stored.findLast(({ confirmed }) => confirmed)?.manifest;
  }
}

/** `sink` with some methods of its writer in the place of its own. */
export function withWriter<T>(
  sink: Sink<T>,
  over: (writer: SinkWriter<T>, context: SinkContext) => Partial<SinkWriter<T>>,
): Sink<T> {
  return {
    ...sink,
    open(context) {
      const writer = sink.open(context) as SinkWriter<T>;
      return { ...writer, ...over(writer, context) };
    },
  };
}

/** `source` with some methods of its reader in the place of its own. */
export function withReader<T>(
  source: Source<T>,
  over: (reader: SourceReader, context: SourceContext<T>) => Partial<SourceReader>,
): Source<T> {
  return {
    kind: source.kind,
    name: source.name,
    bounded: source.bounded,
    open(position, context) {
      const reader = source.open(position, context) as SourceReader;
      return {
        start: () => reader.start(),
        position: () => reader.position(),
        pause: () => reader.pause(),
        resume: () => reader.resume(),
        close: () => reader.close(),
        ...over(reader, context),
      };
    },
  };
}
