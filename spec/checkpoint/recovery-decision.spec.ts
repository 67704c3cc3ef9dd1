import { describe, expect, it } from 'vitest';
import { type CommitPointIdentity, type Manifest, manifestChecksum } from '../../lib/checkpoint/manifest.ts';
import { decideRecovery, type RecoveryChoices, type Witness } from '../../lib/checkpoint/recovery-decision.ts';
import { CommitPointLostError, StateLostError } from '../../lib/errors.ts';
import { manifestOf } from '../contract/snapshot-store.manifests.ts';

const ref = { job: 'totals', task: 'main' };
const kafka = { kind: 'kafka', clusterId: 'A', location: 'kafka://a:9092' };
const moved = { kind: 'kafka', clusterId: 'B' };

interface Kept {
  readonly id: number;
  readonly token?: number;
  readonly by?: CommitPointIdentity;
  readonly isPrepared?: true;
  readonly closed?: true;
}

const manifest = ({ id, token = 1, by, closed = false as never }: Kept): Manifest => ({
  ...manifestOf(ref, token, id),
  closed,
  ...(by ? { commitPoint: by } : {}),
});
const stored = (...kept: readonly Kept[]) =>
  kept.map(each => ({ manifest: manifest(each), confirmed: each.isPrepared !== true }));
const record = (kept: Kept) => ({
  id: kept.id,
  token: kept.token ?? 1,
  checksum: manifestChecksum(manifest(kept)),
});
const says = (identity: CommitPointIdentity, kept?: Kept): Witness => ({
  identity,
  record: kept && record({ by: identity, ...kept }),
});
const decide = (kept: ReturnType<typeof stored>, witnesses: readonly Witness[], choices: RecoveryChoices = {}) => {
  const { committed, isUnconfirmed, lastId, accepted } = decideRecovery(ref, kept, witnesses, choices);
  return [committed && `${committed.id}-${committed.token}`, isUnconfirmed, lastId, accepted?.code];
};

describe('which checkpoint was decided last', () => {
  it('is none where there never was one', () => {
    expect(decide([], [says(kafka)])).toEqual([undefined, false, 0, undefined]);
    expect(decide(stored({ id: 1, by: kafka, isPrepared: true }), [says(kafka)])).toEqual([
      undefined,
      false,
      1,
      undefined,
    ]);
  });

  it('is the confirmed one that the record names', () => {
    const kept = stored({ id: 4, by: kafka }, { id: 5, by: kafka }, { id: 6, by: kafka, isPrepared: true });
    expect(decide(kept, [says(kafka, { id: 5 })])).toEqual(['5-1', false, 6, undefined]);
  });

  it('is the one that the record names although the store only knows it as prepared, by an older incarnation', () => {
    const kept = stored(
      { id: 5, by: kafka },
      { id: 6, token: 1, by: kafka, isPrepared: true },
      { id: 6, token: 2, by: kafka, isPrepared: true },
    );
    expect(decide(kept, [says(kafka, { id: 6, token: 1 })])).toEqual(['6-1', true, 6, undefined]);
  });

  it('is the confirmed one of the store when an exactly-once sink has just come', () => {
    expect(decide(stored({ id: 5 }), [says(kafka)])).toEqual(['5-1', false, 5, undefined]);
    // It was there before, long ago.
    expect(decide(stored({ id: 5 }), [says(kafka, { id: 2 })])).toEqual(['5-1', false, 5, undefined]);
    // It came at the last start, which died before the store knew.
    const kept = stored({ id: 5 }, { id: 6, token: 2, by: kafka, isPrepared: true });
    expect(decide(kept, [says(kafka, { id: 6, token: 2 })])).toEqual(['6-2', true, 6, undefined]);
  });

  it('is what the old commit point says when the sink has gone or moved', () => {
    const kept = stored({ id: 5, by: kafka }, { id: 6, by: kafka, isPrepared: true });
    expect(decide(kept, [says(kafka, { id: 6 })])).toEqual(['6-1', true, 6, undefined]);
    expect(decide(kept, [says(kafka, { id: 6 }), says(moved)])).toEqual(['6-1', true, 6, undefined]);
    expect(decide(kept, [says(kafka, { id: 5 }), says(moved, { id: 3 })])).toEqual(['5-1', false, 6, undefined]);
  });

  it('is the confirmed one without asking the old commit point, when nothing was prepared behind it', () => {
    expect(decide(stored({ id: 5, by: kafka }), [])).toEqual(['5-1', false, 5, undefined]);
    expect(decide(stored({ id: 5, by: kafka }), [says(moved)])).toEqual(['5-1', false, 5, undefined]);
  });

  it('is the one of a clean stop although Kafka has let its record expire', () => {
    expect(decide(stored({ id: 5, by: kafka, closed: true }), [says(kafka)])).toEqual(['5-1', false, 5, undefined]);
  });
});

describe('checkpoints that were deleted on purpose', () => {
  const cleared = (id: number): Witness => ({
    identity: kafka,
    record: { id, token: 3, checksum: '', isCleared: true },
  });

  it('are not missed, nor restored when the store still has them; ids go on above them', () => {
    expect(decide([], [cleared(6)])).toEqual([undefined, false, 6, undefined]);
    expect(decide(stored({ id: 5, by: kafka }), [cleared(6)])).toEqual([undefined, false, 6, undefined]);
  });

  it('say nothing about what the store has decided since', () => {
    expect(decide(stored({ id: 7 }), [cleared(6)])).toEqual(['7-1', false, 7, undefined]);
    // Whose ids began anew when all was deleted.
    expect(decide(stored({ id: 2 }), [cleared(6)])).toEqual(['2-1', false, 6, undefined]);
    expect(() => decideRecovery(ref, stored({ id: 7, by: kafka }), [cleared(6)], {})).toThrow(CommitPointLostError);
  });
});

describe('a start is refused', () => {
  it.each<[string, ReturnType<typeof stored>, Witness[], RegExp]>([
    [
      'when the record has gone',
      stored({ id: 5, by: kafka }),
      [says(kafka)],
      /Checkpoint 5.*cluster A, kafka:\/\/a:9092.*no record.*acceptCheckpoint to 5/s,
    ],
    [
      'when the record has gone after a clean stop, but somebody has prepared a checkpoint since',
      stored({ id: 5, by: kafka, closed: true }, { id: 6, by: kafka, isPrepared: true }),
      [says(kafka)],
      /no record/,
    ],
    ['when the record is older', stored({ id: 5, by: kafka }), [says(kafka, { id: 4 })], /names an older one, 4/],
    [
      'when the old commit point may have decided more and cannot be asked',
      stored({ id: 5, by: kafka }, { id: 6, by: kafka, isPrepared: true }),
      [],
      /may have decided about a later one.*recovery\.previousCommitPoint/,
    ],
  ])('%s', (_, kept, witnesses, message) => {
    const refused = () => decideRecovery(ref, kept, witnesses, {});
    expect(refused).toThrow(CommitPointLostError);
    expect(refused).toThrow(message);
    expect(decide(kept, witnesses, { acceptCheckpoint: 5 })).toMatchObject(['5-1', false, {}, 'COMMIT_POINT_LOST']);
    expect(() => decideRecovery(ref, kept, witnesses, { acceptCheckpoint: 6 })).toThrow(CommitPointLostError);
    expect(decide(kept, witnesses, { isFresh: true })[3]).toBe('COMMIT_POINT_LOST');
  });

  it('when the store lacks what the record names', () => {
    const witness = [says(kafka, { id: 6 })];
    const empty = () => decideRecovery(ref, [], witness, {});
    expect(empty).toThrow(StateLostError);
    expect(empty).toThrow(/Checkpoint 6 \(token 1\).*does not have it.*Put the store's data back; or start fresh/s);
    const kept = stored({ id: 5, by: kafka });
    expect(() => decideRecovery(ref, kept, witness, {})).toThrow(/acceptCheckpoint to 5/);
    expect(decide(kept, witness, { acceptCheckpoint: 5 })).toEqual(['5-1', false, 6, 'STATE_LOST']);
    // Whatever comes next must have a higher id than anything that was ever decided.
    expect(decide([], witness, { isFresh: true })).toEqual([undefined, false, 6, 'STATE_LOST']);
  });

  it('when the store has another manifest under that name', () => {
    const witness = { identity: kafka, record: { ...record({ id: 5, by: kafka }), checksum: 'other' } };
    expect(() => decideRecovery(ref, stored({ id: 5, by: kafka }), [witness], {})).toThrow(/another one/);
  });
});
