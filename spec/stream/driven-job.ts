import { VirtualTimeScheduler } from 'rxjs';
import { memoryStore } from '../../lib/checkpoint/store-memory.ts';
import {
  Barrier,
  type DataStream,
  from,
  type JobHandle,
  type JobSettings,
  job,
  type Key,
  type SnapshotStore,
  StreamRecord,
  start,
  Watermark,
} from '../../lib/index.ts';
import { endIn } from '../../lib/stream/end.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { committedSink, probe, type Seen } from '../../lib/testing/probe.ts';
import { quiet } from '../job/quiet.ts';

// biome-ignore lint/suspicious/noExplicitAny: operators of any type are tried on it
export type AnyStream = DataStream<any, any>;

/** What came out of a stream: a record with its time and key, a watermark, `B` and the id of a barrier, or `complete`. */
export type Shown =
  | { readonly value: unknown; readonly timestamp: number; readonly key: Key | undefined }
  | `B${number}`
  | `W${number}`
  | 'complete';

export interface DrivenOptions<N extends string> {
  /** One named `input` unless named here. */
  readonly inputs?: readonly N[];
  readonly store?: SnapshotStore;
  readonly settings?: JobSettings;
  /** Called with each element as it passes, in the middle of its being handled. */
  readonly onElement?: (stream: string, element: Seen['element']) => void;
}

/** A job that a test feeds step by step; everything that a step causes has happened when it returns. */
export class DrivenJob<N extends string = 'input'> {
  readonly store: SnapshotStore;
  readonly committed: Record<string, unknown[]> = {};
  handle: JobHandle;
  /** How often the job's function ran, which is once for each incarnation. */
  builds = 0;
  private readonly seen: Record<string, Shown[]> = {};
  private readonly sources: ReadonlyMap<N, MarbleSource>;
  private readonly begin: () => JobHandle;

  constructor(
    build: (inputs: Readonly<Record<N, AnyStream>>) => Readonly<Record<string, AnyStream>>,
    options: DrivenOptions<N> = {},
  ) {
    const { inputs = ['input' as N], store = memoryStore(), settings = {}, onElement } = options;
    this.store = store;
    this.sources = new Map(inputs.map(name => [name, new MarbleSource(name)]));
    const scheduler = new VirtualTimeScheduler();
    const declared = job('driven', () => {
      this.builds++;
      const sources = [...this.sources].map(([name, source]) => [name, from(source)]);
      const streams = build(Object.fromEntries(sources));
      return Object.entries(streams).map(([name, stream]) => {
        const elements = this.seen[name] ?? [];
        const committed = this.committed[name] ?? [];
        this.seen[name] = elements;
        this.committed[name] = committed;
        const probed = probe(stream, element => {
          elements.push(shown(element));
          onElement?.(name, element);
        });
        return probed.pipe(endIn(committedSink(`committed:${name}`, ({ value }) => committed.push(value))));
      });
    });
    this.begin = () =>
      start(declared, {
        restart: { strategy: 'none' },
        logger: quiet,
        ...settings,
        checkpoint: { interval: 'off', ...settings.checkpoint },
        scheduler,
        store,
      });
    this.handle = this.begin();
  }

  /** All that came out of a stream since the first start, in order. */
  elements(name = 'output'): readonly Shown[] {
    return this.seen[name] ?? [];
  }

  /** The values among them. */
  values(name = 'output'): readonly unknown[] {
    return this.elements(name).flatMap(element => (typeof element === 'object' ? [element.value] : []));
  }

  /** Its error, `undefined` unless the job has failed. */
  get error(): Error | undefined {
    const { phase, error } = this.handle.status;
    return phase === 'failed' ? error : undefined;
  }

  get phase(): string {
    return this.handle.status.phase;
  }

  push(value: unknown, timestamp?: number, input = 'input' as N): void {
    const record = timestamp === undefined ? value : new StreamRecord(value, timestamp);
    this.source(input).push({ kind: 'value', value: record });
  }

  watermark(timestamp: number, input = 'input' as N): void {
    this.source(input).push({ kind: 'watermark', timestamp });
  }

  /** The input ends with an error notification. */
  fail(error: unknown, input = 'input' as N): void {
    this.source(input).push({ kind: 'error', error });
  }

  complete(input = 'input' as N): void {
    this.source(input).push({ kind: 'complete' });
  }

  checkpoint(): void {
    this.handle.checkpoint();
  }

  /** Kills the task and starts it again from its last checkpoint: what was read since then is read again. */
  crash(): void {
    void this.handle.cancel();
    this.handle = this.begin();
  }

  private source(name: N): MarbleSource {
    const source = this.sources.get(name);
    if (!source) throw new Error(`no input ${name}`);
    return source;
  }
}

function shown(element: Seen['element']): Shown {
  if (element === 'complete') return element;
  if (element instanceof Barrier) return `B${element.id}`;
  if (element instanceof Watermark) return `W${element.timestamp}`;
  if (element instanceof StreamRecord) {
    return { value: element.value, timestamp: element.timestamp, key: element.key };
  }
  throw element.error;
}
