import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EndOfTransaction,
  type EndStep,
  type Outcome,
} from '../../../../connectors/kafka/produce/end-of-transaction.ts';
import { lost } from '../../../../connectors/kafka/produce/verdict.ts';

/** What follows from the last of these answers. */
function stepAfter(outcome: Outcome, ...answers: string[]): EndStep | undefined {
  const end = new EndOfTransaction(outcome);
  return answers.map(answer => end.after(answer)).at(-1);
}

const fenced = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING'];

describe('a commit', () => {
  test('is done when the broker says so, however often it was asked', () => {
    expect(stepAfter('commit', 'NONE')).toBe('committed');
    expect(stepAfter('commit', lost, 'NONE')).toBe('committed');
    expect(stepAfter('commit', 'NOT_COORDINATOR', 'CONCURRENT_TRANSACTIONS', lost, 'NONE')).toBe('committed');
  });

  test('is asked for again while nobody knows', () => {
    expect(stepAfter('commit', lost)).toBe('again elsewhere');
    expect(stepAfter('commit', 'NOT_COORDINATOR')).toBe('again elsewhere');
    expect(stepAfter('commit', 'COORDINATOR_NOT_AVAILABLE')).toBe('again elsewhere');
    expect(stepAfter('commit', 'COORDINATOR_LOAD_IN_PROGRESS')).toBe('again');
    expect(stepAfter('commit', lost, 'CONCURRENT_TRANSACTIONS')).toBe('again');
  });

  test('was an abort when the state says so and nothing was asked before', () => {
    expect(stepAfter('commit', 'INVALID_TXN_STATE')).toBe('aborted');
    expect(stepAfter('commit', lost, 'INVALID_TXN_STATE')).toBe('unknown');
  });

  test.each(fenced)('of a fenced producer (%s) may have happened before, unless nothing was asked before', name => {
    const first = new EndOfTransaction('commit');
    expect(first.after(name)).toBe('fenced');
    expect(first.mayHaveTakenEffect).toBe(false);
    for (const before of [lost, 'COORDINATOR_NOT_AVAILABLE', 'CONCURRENT_TRANSACTIONS']) {
      const again = new EndOfTransaction('commit');
      again.after(before);
      expect(again.after(name)).toBe('fenced');
      expect(again.mayHaveTakenEffect).toBe(true);
    }
  });

  test('that is refused is unknown when it was asked for before', () => {
    expect(stepAfter('commit', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).toBe('refused');
    expect(stepAfter('commit', lost, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).toBe('unknown');
  });
});

describe('an abort', () => {
  test('is done, asked for again, or that of a producer which is not the only one of its epoch', () => {
    expect(stepAfter('abort', 'NONE')).toBe('aborted');
    expect(stepAfter('abort', lost, 'NONE')).toBe('aborted');
    expect(stepAfter('abort', lost)).toBe('again elsewhere');
    expect(stepAfter('abort', 'CONCURRENT_TRANSACTIONS')).toBe('again');
    expect(stepAfter('abort', 'INVALID_TXN_STATE')).toBe('fenced');
    expect(stepAfter('abort', 'PRODUCER_FENCED')).toBe('fenced');
    expect(stepAfter('abort', lost, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).toBe('refused');
  });
});

/** `TransactionCoordinator` for one transaction that is open, and EndTxn(commit) of epoch 0. */
class Coordinator {
  state: 'Ongoing' | 'PrepareCommit' | 'CompleteCommit' | 'PrepareAbort' | 'CompleteAbort' = 'Ongoing';
  epoch = 0;
  wasCommitted = false;

  commit(): string {
    if (this.epoch !== 0) return 'PRODUCER_FENCED';
    if (this.state === 'CompleteCommit') return 'NONE';
    if (this.state === 'PrepareCommit') return 'CONCURRENT_TRANSACTIONS';
    if (this.state !== 'Ongoing') return 'INVALID_TXN_STATE';
    this.state = 'PrepareCommit';
    this.wasCommitted = true;
    return 'NONE';
  }

  /** A timeout, or InitProducerId of another. */
  fence(): void {
    if (this.state === 'Ongoing') this.state = 'PrepareAbort';
    if (this.state !== 'PrepareCommit') this.epoch++;
  }

  writeMarkers(): void {
    if (this.state === 'PrepareCommit') this.state = 'CompleteCommit';
    if (this.state === 'PrepareAbort') this.state = 'CompleteAbort';
  }
}

const event = fc.constantFrom(
  'answered',
  'answer lost',
  'request lost',
  'request late',
  'load in progress',
  'moved after append',
  'late request',
  'fence',
  'markers',
);

test('whatever is lost, late or fenced, nothing is said about the end that is not so', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30, size: 'max' }), events => {
      const coordinator = new Coordinator();
      const end = new EndOfTransaction('commit');
      let late = 0;
      let said: EndStep = 'again';
      for (const happened of events) {
        if (!said.startsWith('again')) break;
        if (happened === 'fence') coordinator.fence();
        else if (happened === 'markers') coordinator.writeMarkers();
        else if (happened === 'late request') {
          if (late-- > 0) coordinator.commit();
          else late = 0;
        } else if (happened === 'load in progress') said = end.after('COORDINATOR_LOAD_IN_PROGRESS');
        else if (happened === 'request lost') said = end.after(lost);
        else if (happened === 'request late') {
          late++;
          said = end.after(lost);
        } else {
          const answer = coordinator.commit();
          if (happened === 'answer lost') said = end.after(lost);
          else said = end.after(happened === 'answered' || answer !== 'NONE' ? answer : 'NOT_COORDINATOR');
        }
      }
      for (; late > 0; late--) coordinator.commit();

      if (said === 'committed') expect(coordinator.wasCommitted).toBe(true);
      if (said === 'aborted') expect(coordinator.wasCommitted).toBe(false);
      if (said === 'fenced' && !end.mayHaveTakenEffect) expect(coordinator.wasCommitted).toBe(false);
      expect(said).not.toBe('refused');
    }),
    { numRuns: 2_000 },
  );
});
