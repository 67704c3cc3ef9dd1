import { InternalError } from '../../../lib/index.ts';
import type {
  CommittedOffset,
  ErrorName,
  KafkaClient,
  KafkaNode,
  ProducerIdentity,
  TopicPartition,
} from '../client/port.ts';
import { askCoordinator, type CoordinatorRequest, type Next } from './coordinator-requests.ts';
import type { EndOfTransaction, EndStep, Outcome } from './end-of-transaction.ts';
import { refusal } from './refusal.ts';
import { coordinatorVerdict, lost } from './verdict.ts';

type Request<T> = Omit<CoordinatorRequest<T>, 'withinMs'> & { readonly withinMs?: number };

/** The answer that decided about the end of a transaction, and what it means. */
export interface EndAnswer {
  readonly step: EndStep;
  readonly answer: ErrorName;
}

/** What a transactional producer asks of coordinators: each until it is answered well, refused, or out of time. */
export class TransactionRequests {
  /** A request was not answered: it may still arrive, and change what comes later under the same epoch. */
  hasLostAnswer = false;
  readonly #client: KafkaClient;
  readonly #withinMs: number;
  readonly #signal: AbortSignal;
  #identity: ProducerIdentity | undefined;

  constructor(client: KafkaClient, withinMs: number, signal: AbortSignal) {
    this.#client = client;
    this.#withinMs = withinMs;
    this.#signal = signal;
  }

  get transactionalId(): string | undefined {
    return this.#identity?.transactionalId;
  }

  async init(transactionalId: string, timeoutMs: number): Promise<ProducerIdentity> {
    const action = `initialise transactional id "${transactionalId}"`;
    const { producerId, producerEpoch } = await this.#ask({
      kind: 'transaction',
      key: transactionalId,
      action,
      ask: node => node.initProducerId(transactionalId, timeoutMs),
      judge: ({ error }) => this.#next(error, action, transactionalId),
    });
    this.hasLostAnswer = false;
    this.#identity = { transactionalId, producerId, producerEpoch };
    return this.#identity;
  }

  async addPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const action = 'add partitions to the transaction';
    await this.#askTransaction({
      action,
      ask: (node, identity) => node.addPartitionsToTxn(identity, partitions),
      judge: answers => this.#nextOfAll(partitions, answers, action),
    });
  }

  /** `lostOffsets` is called when nobody knows whether the offsets arrived, or will. */
  async addOffsets(group: string, offsets: readonly CommittedOffset[], lostOffsets: () => void): Promise<void> {
    const action = `add group "${group}" to the transaction`;
    await this.#askTransaction({
      action,
      ask: (node, identity) => node.addOffsetsToTxn(identity, group),
      judge: name => this.#next(name, action),
    });
    const identity = this.#initialised();
    const toCommit = `put offsets of group "${group}" into the transaction`;
    await this.#ask({
      kind: 'group',
      key: group,
      action: toCommit,
      ask: node => node.txnOffsetCommit(identity, group, offsets),
      judge: answers => this.#nextOfAll(offsets, answers, toCommit),
      lost: lostOffsets,
    });
  }

  async end(end: EndOfTransaction, outcome: Outcome, withinMs: number): Promise<EndAnswer> {
    let decided: EndAnswer = { step: 'again', answer: lost };
    await this.#askTransaction({
      action: `${outcome} the transaction of "${this.transactionalId}"`,
      ask: (node, identity) => node.endTxn(identity, outcome),
      judge: answer => {
        const step = end.after(answer);
        decided = { step, answer };
        return step === 'again' || step === 'again elsewhere' ? step : 'done';
      },
      lost: () => end.after(lost),
      withinMs,
    });
    return decided;
  }

  #askTransaction<T>({
    ask,
    ...request
  }: Omit<Request<T>, 'kind' | 'key' | 'ask'> & {
    ask(node: KafkaNode, identity: ProducerIdentity): Promise<T>;
  }): Promise<T> {
    const identity = this.#initialised();
    const key = identity.transactionalId;
    return this.#ask({ ...request, kind: 'transaction', key, ask: node => ask(node, identity) });
  }

  #ask<T>({ withinMs = this.#withinMs, ...request }: Request<T>): Promise<T> {
    const noteLost = () => {
      this.hasLostAnswer = true;
      request.lost?.();
    };
    return askCoordinator(this.#client, { ...request, lost: noteLost, withinMs }, this.#signal);
  }

  #initialised(): ProducerIdentity {
    if (this.#identity) return this.#identity;
    throw new InternalError('A Kafka transaction was used before its producer was initialised: please report it.');
  }

  #next(name: ErrorName, action: string, transactionalId = this.transactionalId): Next {
    const verdict = coordinatorVerdict(name);
    if (verdict !== 'fenced' && verdict !== 'refused') return verdict;
    throw refusal(name, { action, location: this.#client.location, transactionalId });
  }

  /** Everything that was asked for must be answered, and well. */
  #nextOfAll(
    asked: readonly TopicPartition[],
    answers: readonly (TopicPartition & { readonly error: ErrorName })[],
    action: string,
  ): Next {
    let next: Next = 'done';
    for (const { topic, partition } of asked) {
      const answer = answers.find(one => one.topic === topic && one.partition === partition);
      const ofOne = this.#next(answer?.error ?? lost, `${action} (topic "${topic}", partition ${partition})`);
      if (next === 'done' || ofOne === 'again elsewhere') next = ofOne;
    }
    return next;
  }
}
