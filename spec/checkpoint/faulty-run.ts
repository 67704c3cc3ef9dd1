import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { StoredManifest, TaskStore } from '../../lib/checkpoint/snapshot-store.ts';
import { memoryStore } from '../../lib/checkpoint/store-memory.ts';
import { type Job, type JobHandle, type Sink, start } from '../../lib/index.ts';
import { ManualScheduler } from '../contract/manual-scheduler.ts';
import { quiet } from '../job/quiet.ts';
import { settled } from './coordinated.ts';
import { ExactlyOnceOutput, type SinkFault } from './exactly-once-output.ts';
import { FailingStore, type FaultPlan, type StoreFault, type StoreStep, storeOf } from './failing-store.ts';
import type { BrokerFault, BrokerStep, TransactionBroker } from './transaction-broker.ts';

export interface RunSettings {
  readonly tolerableFailures: number;
  readonly retained: number;
}

/** A job that is run through faults, and what must become visible of it. */
export interface Scenario<I> {
  /** The name of the job. */
  readonly name: string;
  readonly sinks: readonly string[];
  /** The job as one process has it. */
  job(sink: (name: string) => Sink<string>): Job;
  /** Something comes in. */
  take(item: I): void;
  /** Everything that has not ended does. */
  end(): void;
  /**
   * What is wrong with what a sink shows, in words, where `committed` is the newest checkpoint. `isQuiet`: nothing of it is
   * under way, so all that it covers must be there.
   */
  problems(sink: string, visible: readonly string[], committed: Manifest | undefined, isQuiet: boolean): string[];
}

/** What may happen to a job; `hold` makes a step of the store wait for a `release`. */
export type Happening<I> =
  | { readonly come: I }
  | { readonly fault: StoreFault | 'hold'; readonly at: StoreStep; readonly after: number }
  | { readonly sinkFault: SinkFault; readonly at: 'flush' | 'commit'; readonly of: number }
  | { readonly brokerFault: BrokerFault; readonly at: BrokerStep }
  | { readonly wait: number }
  | {
      readonly now:
        | 'checkpoint'
        | 'crash'
        | 'stop'
        | 'cancel'
        | 'second process'
        | 'first process'
        | 'release'
        | 'time out';
    };

interface Process {
  readonly store: FailingStore;
  readonly handle: JobHandle;
}

/**
 * A job whose processes come and go in virtual time, on a store and sinks that fail as planned. After each happening
 * `verify` says what must hold.
 */
export class FaultyRun<I> {
  private readonly settings: RunSettings;
  private readonly scheduler = new ManualScheduler();
  private readonly scenario: Scenario<I>;
  private readonly kept: TaskStore;
  private readonly plan: FaultPlan = new Map();
  private readonly outputs: ReadonlyMap<string, ExactlyOnceOutput>;
  private readonly processes: Process[] = [];
  private held: PromiseWithResolvers<void>[] = [];
  private lastCommitted = 0;
  private readonly broker: TransactionBroker | undefined;

  /** With a broker, the first sink of the scenario writes into its transactions, and they decide. */
  constructor(scenario: Scenario<I>, settings: RunSettings, broker?: TransactionBroker) {
    this.scenario = scenario;
    this.settings = settings;
    this.broker = broker;
    this.kept = memoryStore().task({ job: scenario.name, task: 'main' });
    this.outputs = new Map(scenario.sinks.map(name => [name, new ExactlyOnceOutput(name)]));
    this.begin();
  }

  /** One thing happens; then everything runs that waits for nothing. */
  async happen(happening: Happening<I>): Promise<void> {
    if ('come' in happening) this.scenario.take(happening.come);
    else if ('fault' in happening) this.planFault(happening);
    else if ('brokerFault' in happening) this.broker?.plan(happening.at, happening.brokerFault);
    else if ('sinkFault' in happening) {
      const { sinkFault, at, of } = happening;
      const output = this.outputs.get(this.scenario.sinks[of % this.scenario.sinks.length] ?? '');
      output?.[at === 'flush' ? 'flushFaults' : 'commitFaults'].push(sinkFault);
    } else if ('wait' in happening) this.scheduler.advance(happening.wait);
    else this.act(happening.now);
    await settled();
    this.replaceDead();
    await settled();
  }

  /** Nothing goes wrong any more, and the newest process is at work. */
  async mend(): Promise<void> {
    this.plan.clear();
    this.broker?.clear();
    for (const { flushFaults, commitFaults } of this.outputs.values()) {
      flushFaults.length = 0;
      commitFaults.length = 0;
    }
    await this.happen({ now: 'release' });
    for (const other of this.processes.slice(0, -1)) this.end(other);
    // One that waited to restart may have taken the task over from it, and may have died since.
    if (this.isOvertaken) await this.happen({ now: 'crash' });
    for (let i = 0; i < 20 && this.newest.handle.status.phase !== 'running'; i++) await this.happen({ wait: 1_000 });
    // What waits for an answer that never comes is ended, as a person would.
    if (this.newest.handle.status.phase !== 'running') await this.happen({ now: 'crash' });
  }

  /** The end of the input; answers when the job has finished. */
  async finish(): Promise<void> {
    this.scenario.end();
    for (let i = 0; i < 100 && this.newest.handle.status.phase !== 'finished'; i++) await this.happen({ wait: 1_000 });
    const { phase, lastCheckpoint } = this.newest.handle.status;
    if (phase !== 'finished') throw new Error(`it does not finish: ${phase}, ${JSON.stringify(lastCheckpoint)}`);
  }

  /** Starts the job once more and answers what became of it. */
  async again(): Promise<string> {
    this.begin();
    await settled();
    return this.newest.handle.status.phase;
  }

  /** What the live actor says of each of these keys. */
  async live(actor: string, keys: Iterable<string>): Promise<Map<string, unknown>> {
    const { handle } = this.newest;
    const states = await Promise.all([...new Set(keys)].map(async key => [key, await handle.ask(actor, key)] as const));
    return new Map(states.filter(([, state]) => state !== undefined));
  }

  /** What a sink shows. */
  visible(sink: string): readonly string[] {
    if (this.broker && sink === this.scenario.sinks[0]) return this.broker.visible;
    return this.outputs.get(sink)?.visible ?? [];
  }

  get committed(): Manifest | undefined {
    const stored = this.kept.manifests() as readonly StoredManifest[];
    if (!this.broker) return stored.findLast(({ confirmed }) => confirmed)?.manifest;
    const { id, token } = this.broker.record ?? { id: 0, token: 0 };
    return stored.find(({ manifest }) => manifest.id === id && manifest.token === token)?.manifest;
  }

  /** Every rule that is broken, in words. */
  verify(): string[] {
    const { committed } = this;
    const problems: string[] = [];
    const id = committed?.id ?? 0;
    if (id < this.lastCommitted) problems.push(`I3: checkpoint ${this.lastCommitted} was committed, now ${id} is`);
    this.lastCommitted = id;
    if (this.broker?.record && !committed)
      problems.push(`I2: the record names ${this.broker.record.id}, which is not there`);
    for (const [name, { violations }] of this.outputs) {
      const isTransactional = this.broker !== undefined && name === this.scenario.sinks[0];
      problems.push(...violations.map(violation => `I4: ${name}: ${violation}`));
      // What a transaction holds is visible at the moment of the decision, and not before.
      const found = this.scenario.problems(name, this.visible(name), committed, isTransactional || this.isQuiet);
      problems.push(...found.map(what => `I1: ${name}: ${what}`));
    }
    return problems;
  }

  /** Whether the newest process runs, with nothing of its checkpoints under way. */
  private get isQuiet(): boolean {
    const { handle, store } = this.newest;
    const { phase, lastCheckpoint } = handle.status;
    if (store.isDead || this.isOvertaken) return false;
    if (phase === 'finished') return true;
    return phase === 'running' && (store.lastPrepared === undefined || store.lastPrepared === lastCheckpoint?.id);
  }

  private get isOvertaken(): boolean {
    return this.newest.store.token !== this.kept.fence();
  }

  private get newest(): Process {
    return this.processes.at(-1) as Process;
  }

  private begin(): void {
    const store = new FailingStore(this.kept, this.plan);
    const { broker } = this;
    const sink = (name: string) =>
      broker && name === this.scenario.sinks[0]
        ? broker.sink(name, store)
        : (this.outputs.get(name) as ExactlyOnceOutput).sink(store);
    const handle = start(this.scenario.job(sink), {
      store: storeOf(store),
      scheduler: this.scheduler,
      logger: quiet,
      checkpoint: { interval: 'off', timeout: '5s', commitTimeout: '5s', ...this.settings },
      restart: { strategy: 'fixed-delay', attempts: 1_000, delay: 100 },
    });
    this.processes.push({ store, handle });
  }

  private planFault({ fault, at, after }: Extract<Happening<I>, { fault: unknown }>): void {
    const planned = this.plan.get(at) ?? [];
    while (planned.length < after) planned.push(undefined);
    planned.push(fault === 'hold' ? this.hold() : fault);
    this.plan.set(at, planned);
  }

  private hold(): Promise<void> {
    const held = Promise.withResolvers<void>();
    this.held.push(held);
    return held.promise;
  }

  private act(what: Extract<Happening<I>, { now: unknown }>['now']): void {
    const { handle, store } = this.newest;
    if (what === 'checkpoint') handle.checkpoint();
    else if (what === 'crash') store.isDead = true;
    else if (what === 'stop') void handle.stop().catch(() => {});
    else if (what === 'cancel') void handle.cancel().catch(() => {});
    else if (what === 'second process') this.begin();
    else if (what === 'first process') this.processes.at(-2)?.handle.checkpoint();
    else if (what === 'time out') this.broker?.timeOut();
    else {
      this.broker?.release();
      for (const held of this.held.splice(0)) held.resolve();
    }
  }

  /** What a person, or a supervisor, would do: starts the job again where it has ended. */
  private replaceDead(): void {
    const { newest } = this;
    if (newest.store.isDead) this.end(newest);
    if (newest.store.isDead || (isOver(newest) && newest.handle.status.phase !== 'finished')) this.begin();
  }

  private end({ store, handle }: Process): void {
    store.isDead = true;
    void handle.cancel().catch(() => {});
  }
}

const isOver = ({ handle }: Process): boolean =>
  ['finished', 'stopped', 'cancelled', 'failed'].includes(handle.status.phase);

/** How `visible` differs from the beginning of `covered`, or, `isComplete`, from all of it. */
export function differences(visible: readonly string[], covered: readonly string[], isComplete: boolean): string[] {
  const wrong = visible.findIndex((value, i) => value !== covered[i]);
  if (wrong >= 0) return [`${visible[wrong]} at ${wrong} instead of ${covered[wrong] ?? 'nothing'}`];
  return isComplete && visible.length < covered.length ? [`${visible.length} instead of ${covered.length}`] : [];
}
