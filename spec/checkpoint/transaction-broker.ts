import { LineQueue } from '../../connectors/kafka/sink/line-queue.ts';
import type { CommitRecord, ExternalCommitPoint, Sink, SinkContext, SinkWriter } from '../../lib/index.ts';
import { CommitPointFencedError, StoreUnavailableError } from '../../lib/index.ts';
import type { Mortal } from './exactly-once-output.ts';

export const brokerSteps = ['read', 'fence', 'flush', 'commit'] as const;
export type BrokerStep = (typeof brokerSteps)[number];

/**
 * `loses the request`: nothing happens, and nobody answers. `loses the answer`: it happens. `late`: it happens at a `release`,
 * if it is not too late by then. `times out`: the broker has ended the transaction just before. `refuses`: an error that passes.
 */
export const brokerFaults = [
  'refuses',
  'loses the request',
  'loses the answer',
  'late',
  'times out',
  'dies before',
  'dies after',
] as const;
export type BrokerFault = (typeof brokerFaults)[number];

/**
 * One transactional id and its commit record, as a broker has them: an epoch that rises with each initialisation, an open
 * transaction, and what was committed. It outlives every process, and fails as planned.
 */
export class TransactionBroker {
  readonly visible: string[] = [];
  record: CommitRecord | undefined;
  private epoch = 0;
  private open: string[] = [];
  private olderRecord: CommitRecord | undefined;
  private late: (() => void)[] = [];
  private readonly planned = new Map<BrokerStep, BrokerFault[]>();
  /** Which commits were decided, to tell which were never to be. */
  readonly decided: number[] = [];

  plan(step: BrokerStep, fault: BrokerFault): void {
    this.planned.set(step, [...(this.planned.get(step) ?? []), fault]);
  }

  clear(): void {
    this.planned.clear();
  }

  /** Late requests arrive. */
  release(): void {
    for (const arrive of this.late.splice(0)) arrive();
  }

  /** The broker ends a transaction that is too old, and bumps the epoch. */
  timeOut(): void {
    if (this.open.length === 0) return;
    this.open = [];
    this.epoch++;
  }

  /** The sink, and with it the commit point, as one process has them. */
  sink(name: string, process: Mortal): Sink<string> {
    let epoch = -1;
    const point = (): ExternalCommitPoint => ({
      kind: 'kafka',
      open: async () => ({ kind: 'kafka', clusterId: 'C' }),
      read: async isStable =>
        this.step(process, 'read', () => (isStable ? this.record : (this.olderRecord ?? this.record))),
      fence: async () =>
        this.step(process, 'fence', () => {
          this.open = [];
          epoch = ++this.epoch;
        }),
      commit: async (manifest, record) => {
        const sent = epoch;
        const commit = () => this.commit(sent, record);
        await this.step(process, 'commit', commit, commit);
        if (this.record?.id !== manifest.id) throw new CommitPointFencedError('the broker takes nothing more from it');
      },
      close() {},
    });
    return {
      kind: 'kafka',
      name,
      guarantee: 'exactly-once',
      commitsWith: 'the broker',
      commitsIn: point,
      open: context => this.writer(process, () => epoch, context),
    };
  }

  private writer(process: Mortal, epoch: () => number, { credits }: SinkContext): SinkWriter<string> {
    const queue = new LineQueue<string>(true);
    const put = (value: string) => {
      if (process.isDead) return;
      if (epoch() !== this.epoch) throw new CommitPointFencedError('the broker takes nothing more from it');
      this.open.push(value);
    };
    const pump = () => {
      queue.remove();
      for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
        queue.shift();
        put(next);
        credits.release(1);
      }
    };
    return {
      restore() {},
      write: value => {
        if (!queue.mustWait) {
          put(value);
          return;
        }
        queue.push(value);
        credits.acquire(1);
      },
      barrier: () => queue.draw(),
      flush: async () => this.step(process, 'flush', () => null),
      commit: pump,
      abandon: pump,
      close() {},
    };
  }

  private commit(epoch: number, record: CommitRecord): void {
    if (epoch !== this.epoch) return;
    this.visible.push(...this.open);
    this.open = [];
    this.olderRecord = this.record;
    this.record = record;
    this.decided.push(record.id);
  }

  private async step<R>(process: Mortal, step: BrokerStep, work: () => R, late?: () => void): Promise<R> {
    if (process.isDead) return never;
    const fault = this.planned.get(step)?.shift();
    if (fault === 'times out') this.timeOut();
    if (fault === 'refuses') throw new StoreUnavailableError(`the broker refuses to ${step}`);
    if (fault === 'dies before') process.isDead = true;
    if (fault === 'late' && late) this.late.push(late);
    if (fault === 'loses the request' || fault === 'late')
      throw new CommitPointFencedError(`nobody answers to ${step}`);
    if (process.isDead) return never;
    const answer = work();
    if (fault === 'loses the answer') throw new CommitPointFencedError(`nobody answers to ${step}`);
    if (fault === 'dies after') {
      process.isDead = true;
      return never;
    }
    return answer;
  }
}

const never: Promise<never> = new Promise(() => {});
