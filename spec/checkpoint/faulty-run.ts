import type { Manifest } from '../../lib/checkpoint/manifest.ts';
import type { StoredManifest } from '../../lib/checkpoint/snapshot-store.ts';
import { memoryStore } from '../../lib/checkpoint/store-memory.ts';
import { type JobHandle, start } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { ManualScheduler } from '../contract/manual-scheduler.ts';
import { quiet } from '../job/quiet.ts';
import { settled } from './coordinated.ts';
import { ExactlyOnceOutput, type SinkFault } from './exactly-once-output.ts';
import { FailingStore, type FaultPlan, type StoreFault, type StoreStep, storeOf } from './failing-store.ts';
import { type Incoming, ledgerJob, reference } from './ledger-job.ts';

export interface RunSettings {
  readonly tolerableFailures: number;
  readonly retained: number;
}

/** What may happen to a job; `hold` makes a step of the store wait for a `release`. */
export type Happening =
  | { readonly come: Incoming }
  | { readonly fault: StoreFault | 'hold'; readonly at: StoreStep; readonly after: number }
  | { readonly sinkFault: SinkFault; readonly at: 'flush' | 'commit'; readonly of: 'accounts' | 'counts' }
  | { readonly wait: number }
  | { readonly now: 'checkpoint' | 'crash' | 'stop' | 'cancel' | 'second process' | 'first process' | 'release' };

interface Process {
  readonly store: FailingStore;
  readonly handle: JobHandle;
}

const ref = { job: 'ledger', task: 'main' };

/**
 * A job whose processes come and go in virtual time, on a store and sinks that fail as planned. After each happening
 * `verify` says what must hold.
 */
export class FaultyRun {
  private readonly settings: RunSettings;
  private readonly scheduler = new ManualScheduler();
  private readonly kept = memoryStore().task(ref);
  private readonly plan: FaultPlan = new Map();
  private readonly source = new MarbleSource('entries');
  private readonly outputs = { accounts: new ExactlyOnceOutput('accounts'), counts: new ExactlyOnceOutput('counts') };
  private readonly incoming: Incoming[] = [];
  private readonly processes: Process[] = [];
  private held: PromiseWithResolvers<void>[] = [];
  private hasEnded = false;
  private lastCommitted = 0;

  constructor(settings: RunSettings) {
    this.settings = settings;
    this.begin();
  }

  /** One thing happens; then everything runs that waits for nothing. */
  async happen(happening: Happening): Promise<void> {
    if ('come' in happening) this.push(happening.come);
    else if ('fault' in happening) this.planFault(happening);
    else if ('sinkFault' in happening) {
      const { sinkFault, at, of } = happening;
      this.outputs[of][at === 'flush' ? 'flushFaults' : 'commitFaults'].push(sinkFault);
    } else if ('wait' in happening) this.scheduler.advance(happening.wait);
    else this.act(happening.now);
    await settled();
    this.replaceDead();
    await settled();
  }

  /** Nothing goes wrong any more, and the newest process is at work. */
  async mend(): Promise<void> {
    this.plan.clear();
    for (const { flushFaults, commitFaults } of Object.values(this.outputs)) {
      flushFaults.length = 0;
      commitFaults.length = 0;
    }
    await this.happen({ now: 'release' });
    for (let i = 0; i < 20 && this.newest.handle.status.phase !== 'running'; i++) await this.happen({ wait: 1_000 });
    // What waits for an answer that never comes is ended, as a person would.
    if (this.newest.handle.status.phase !== 'running') await this.happen({ now: 'crash' });
  }

  /** The end of the input; answers when the job has finished. */
  async finish(): Promise<void> {
    this.hasEnded = true;
    this.source.push({ kind: 'complete' });
    for (let i = 0; i < 100 && this.newest.handle.status.phase !== 'finished'; i++) await this.happen({ wait: 1_000 });
    await this.newest.handle.done;
  }

  /** Starts the job once more and answers what became of it. */
  async again(): Promise<string> {
    this.begin();
    await settled();
    return this.newest.handle.done;
  }

  /** What the live actor says of each account. */
  async live(): Promise<Map<string, unknown>> {
    const { handle } = this.newest;
    const accounts = [...new Set(this.incoming.flatMap(item => ('account' in item ? [item.account] : [])))];
    const states = await Promise.all(accounts.map(async account => [account, await handle.ask('accounts', account)]));
    return new Map((states as [string, unknown][]).filter(([, state]) => state !== undefined));
  }

  /** All that came in. */
  get all(): readonly Incoming[] {
    return this.incoming;
  }

  /** What is visible. */
  get visible(): { readonly accounts: readonly string[]; readonly counts: readonly string[] } {
    return { accounts: this.outputs.accounts.visible, counts: this.outputs.counts.visible };
  }

  get committed(): Manifest | undefined {
    return (this.kept.manifests() as readonly StoredManifest[]).findLast(({ confirmed }) => confirmed)?.manifest;
  }

  /** Every rule that is broken, in words. */
  verify(): string[] {
    const { committed } = this;
    const problems: string[] = [];
    const id = committed?.id ?? 0;
    if (id < this.lastCommitted) problems.push(`I3: checkpoint ${this.lastCommitted} was committed, now ${id} is`);
    this.lastCommitted = id;
    const position = (committed?.sources.entries?.position as number | undefined) ?? 0;
    const covered = reference(this.incoming.slice(0, position), committed?.sources.entries?.finished ?? false);
    for (const name of ['accounts', 'counts'] as const) {
      const { visible, violations } = this.outputs[name];
      problems.push(...violations.map(violation => `I4: ${name}: ${violation}`));
      const wrong = visible.findIndex((value, i) => value !== covered[name][i]);
      if (wrong >= 0) {
        problems.push(
          `I1: ${name} shows ${visible[wrong]} at ${wrong}, where checkpoint ${id} covers ${covered[name][wrong]}`,
        );
      }
      if (this.isQuiet && visible.length < covered[name].length) {
        problems.push(
          `I1: ${name} shows ${visible.length} of the ${covered[name].length} that checkpoint ${id} covers`,
        );
      }
    }
    return problems;
  }

  /** Whether the newest process runs, with nothing of its checkpoints under way. */
  private get isQuiet(): boolean {
    const { handle, store } = this.newest;
    const { phase, lastCheckpoint } = handle.status;
    if (store.isDead) return false;
    if (phase === 'finished') return true;
    return phase === 'running' && (store.lastPrepared === undefined || store.lastPrepared === lastCheckpoint?.id);
  }

  private get newest(): Process {
    return this.processes.at(-1) as Process;
  }

  private begin(): void {
    const store = new FailingStore(this.kept, this.plan);
    const { accounts, counts } = this.outputs;
    const handle = start(ledgerJob(this.source, accounts.sink(store), counts.sink(store)), {
      store: storeOf(store),
      scheduler: this.scheduler,
      logger: quiet,
      checkpoint: { interval: 'off', timeout: '5s', commitTimeout: '5s', ...this.settings },
      restart: { strategy: 'fixed-delay', attempts: 1_000, delay: 100 },
    });
    this.processes.push({ store, handle });
  }

  private push(item: Incoming): void {
    this.incoming.push(item);
    this.source.push(
      'watermark' in item ? { kind: 'watermark', timestamp: item.watermark } : { kind: 'value', value: item },
    );
  }

  private planFault({ fault, at, after }: Extract<Happening, { fault: unknown }>): void {
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

  private act(what: Extract<Happening, { now: unknown }>['now']): void {
    const { handle, store } = this.newest;
    if (what === 'checkpoint') handle.checkpoint();
    else if (what === 'crash') store.isDead = true;
    else if (what === 'stop') void handle.stop().catch(() => {});
    else if (what === 'cancel') void handle.cancel().catch(() => {});
    else if (what === 'second process') this.begin();
    else if (what === 'first process') this.processes.at(-2)?.handle.checkpoint();
    else for (const held of this.held.splice(0)) held.resolve();
  }

  /** What a person, or a supervisor, would do: starts the job again where it has ended. */
  private replaceDead(): void {
    if (this.newest.store.isDead) {
      void this.newest.handle.cancel().catch(() => {});
      this.begin();
    } else if (!this.hasEnded && ['stopped', 'cancelled', 'failed'].includes(this.newest.handle.status.phase)) {
      this.begin();
    }
  }
}
