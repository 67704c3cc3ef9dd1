import type { TestScheduler } from 'rxjs/testing';
import type { SnapshotStore } from '../checkpoint/snapshot-store.ts';
import { memoryStore } from '../checkpoint/store-memory.ts';
import { JobDefinitionError } from '../errors.ts';
import { job } from '../job/job.ts';
import { type JobRun, prepared, run } from '../job/job-run.ts';
import type { JobSettings } from '../job/settings.ts';
import type { Logger } from '../observe/logger.ts';
import { type DataStream, isDataStream, type KeyOrNone } from '../stream/data-stream.ts';
import { endIn } from '../stream/end.ts';
import { from } from '../stream/from.ts';
import { durationOf, type MarbleEvent, parseMarbles } from './marble-elements.ts';
import { MarbleSource } from './marble-source.ts';
import { committedSink, probe, type Seen } from './probe.ts';

type AnyStream = DataStream<unknown, KeyOrNone>;

/** What the streams of a test job are called; one stream, or a list, goes by position. */
export type MarbleStreams = AnyStream | readonly AnyStream[] | Readonly<Record<string, AnyStream>>;

export interface MarbleJobOptions {
  /** What the letters stand for; a letter without one stands for itself. `record(v, ts)` and `watermark(ts)` give times. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** What `#` stands for. */
  readonly error?: unknown;
  readonly settings?: JobSettings;
  /** A store that outlives the job, to go on from in another one. */
  readonly store?: SnapshotStore;
}

/** What became visible of one stream of a test job. */
export class MarbleOutput {
  readonly elements: Seen[] = [];
  readonly committed: Seen[] = [];
}

/** A job that runs in virtual time, fed by marble strings; `X` kills it and starts it again from its last checkpoint. */
export class MarbleJob {
  readonly outputs = new Map<string, MarbleOutput>();
  /** The job as it runs now; it begins with virtual time, and anew at each `X`. */
  handle: JobRun | undefined;
  /** The virtual time in ms that its longest input takes. */
  readonly duration: number;
  private readonly scheduler: TestScheduler;
  private readonly inputs: ReadonlyMap<string, MarbleSource>;
  private readonly build: (inputs: never) => MarbleStreams;
  private readonly isSingle: boolean;
  private readonly settings: JobSettings;

  constructor(
    scheduler: TestScheduler,
    marbles: string | Readonly<Record<string, string>>,
    build: (inputs: never) => MarbleStreams,
    { values = {}, error = new Error('#'), settings = {}, store = memoryStore() }: MarbleJobOptions,
  ) {
    this.scheduler = scheduler;
    this.build = build;
    this.isSingle = typeof marbles === 'string';
    const strings = typeof marbles === 'string' ? { input: marbles } : marbles;
    this.inputs = new Map(Object.keys(strings).map(name => [name, new MarbleSource(name)]));
    this.settings = {
      restart: { strategy: 'none' },
      ...settings,
      // A crash is played as a cancel, which must leave what is stored alone.
      checkpoint: { interval: 'off', ...settings.checkpoint, onCancel: 'keep' },
      scheduler,
      store,
      logger: settings.logger ?? silent,
    };
    this.duration = Math.max(0, ...Object.values(strings).map(durationOf));
    scheduler.schedule(() => this.begin(), 0);
    for (const [name, string] of Object.entries(strings)) {
      for (const event of parseMarbles(string, values, error, 'input')) {
        scheduler.schedule(() => this.happen(name, event.what), event.frame);
      }
    }
  }

  /** What became visible of the stream with this name or at this position; of the only or first one unless it is said which. */
  output(which: string | number = 0): MarbleOutput {
    const found = typeof which === 'number' ? [...this.outputs.values()][which] : this.outputs.get(which);
    if (!found) {
      throw new JobDefinitionError(
        `The test job has no stream ${JSON.stringify(which)}; it has: ${[...this.outputs.keys()].join(', ') || 'none'}.`,
      );
    }
    return found;
  }

  private begin(): void {
    const { scheduler } = this;
    const now = (): number => scheduler.now();
    const declared = job(
      'marbles',
      () =>
        Object.entries(this.streams()).map(([name, stream]) => {
          const output = this.outputs.get(name) ?? new MarbleOutput();
          this.outputs.set(name, output);
          const probed = probe(stream, element => output.elements.push({ frame: now(), element }));
          const sink = committedSink(`committed:${name}`, element => output.committed.push({ frame: now(), element }));
          return probed.pipe(endIn(sink));
        }),
      {},
    );
    const { params, resolved } = prepared(declared, this.settings);
    this.handle = run(declared, params, resolved);
    this.handle.changes$.subscribe(({ phase, error }) => {
      if (phase !== 'failed') return;
      for (const output of this.outputs.values()) output.elements.push({ frame: now(), element: { error } });
    });
  }

  private streams(): Readonly<Record<string, AnyStream>> {
    const sources = Object.fromEntries([...this.inputs].map(([name, source]) => [name, from(source)]));
    const built = this.build((this.isSingle ? sources.input : sources) as never);
    if (isDataStream(built)) return { output: built };
    if (Array.isArray(built) && built.every(isDataStream)) {
      return Object.fromEntries(built.map((stream: AnyStream, i) => [String(i), stream]));
    }
    if (typeof built === 'object' && built !== null && Object.values(built).every(isDataStream)) {
      return built as Readonly<Record<string, AnyStream>>;
    }
    throw new JobDefinitionError(
      'The function of a test job returns a stream, a list of streams, or an object with streams by name.',
    );
  }

  private happen(name: string, what: MarbleEvent['what']): void {
    switch (what.kind) {
      case 'barrier':
        this.handle?.checkpoint();
        break;
      case 'crash':
        void this.handle?.cancel();
        this.begin();
        break;
      case 'stop':
        void this.handle?.stop();
        break;
      default:
        this.inputs.get(name)?.push(what);
    }
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
