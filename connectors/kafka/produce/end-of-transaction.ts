import type { ErrorName } from '../client/port.ts';
import { coordinatorVerdict, lost } from './verdict.ts';

export type Outcome = 'commit' | 'abort';

/** What follows from an answer to EndTxn. 'unknown': it may have been committed; only the commit record tells. */
export type EndStep = 'again' | 'again elsewhere' | 'committed' | 'aborted' | 'unknown' | 'fenced' | 'refused';

/**
 * What the answers to one transaction's EndTxn mean, which is sent again, the same, until one decides.
 *
 * Kafka's coordinator (`TransactionCoordinator.endTransaction` for requests below version 5, whose epoch stays) first
 * compares producer id and epoch, strictly: another id answers INVALID_PRODUCER_ID_MAPPING, another epoch PRODUCER_FENCED
 * (INVALID_PRODUCER_EPOCH to old requests). A transaction that times out is aborted under a higher epoch: that answer is
 * the one of a fenced producer. Under our own epoch the state decides, for a commit:
 *
 *     Ongoing                       written down as PrepareCommit: NONE once that is durable
 *     PrepareCommit                 CONCURRENT_TRANSACTIONS: decided, the markers are on their way
 *     CompleteCommit                NONE: an earlier request has done it
 *     PrepareAbort, CompleteAbort,  INVALID_TXN_STATE: this transaction was not committed
 *     Empty
 *
 * A transaction counts as begun only when a partition or a group was added to it, so CompleteCommit is never the one
 * before. Any other answer may come after the decision was written (a coordinator that lost its place between both):
 * from the first of them on, and after a lost one, a fenced producer and INVALID_TXN_STATE no longer say what became of
 * the commit.
 */
export class EndOfTransaction {
  readonly #outcome: Outcome;
  #mayHaveTakenEffect = false;
  #hasLostAnswer = false;

  constructor(outcome: Outcome) {
    this.#outcome = outcome;
  }

  /** A request was sent whose effect is not known: the transaction may have ended. */
  get mayHaveTakenEffect(): boolean {
    return this.#mayHaveTakenEffect;
  }

  /** A request was never answered: it may still arrive, and would then end the next transaction of the same epoch. */
  get hasLostAnswer(): boolean {
    return this.#hasLostAnswer;
  }

  after(answer: ErrorName | typeof lost): EndStep {
    const commits = this.#outcome === 'commit';
    const wasOpen = this.#mayHaveTakenEffect;
    if (answer === lost) this.#hasLostAnswer = true;
    // The abort of a transaction that was committed, or was not there: somebody else writes under our epoch.
    if (answer === 'INVALID_TXN_STATE') return commits ? (wasOpen ? 'unknown' : 'aborted') : 'fenced';
    const verdict = coordinatorVerdict(answer);
    if (verdict === 'done') return commits ? 'committed' : 'aborted';
    if (verdict === 'refused') return commits && wasOpen ? 'unknown' : 'refused';
    if (verdict !== 'fenced') this.#mayHaveTakenEffect = true;
    return verdict;
  }
}
