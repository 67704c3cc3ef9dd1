import { describe, expect, it } from 'vitest';
import type { CommitRecord, ExternalCommitPoint } from '../../lib/checkpoint/commit-point.ts';
import { storeCommitPoint } from '../../lib/checkpoint/commit-point.ts';
import { type CommitPointIdentity, type Manifest, manifestChecksum } from '../../lib/checkpoint/manifest.ts';
import { externalCommitPoint, type RecoveryOptions } from '../../lib/checkpoint/recovery.ts';
import { memoryStore } from '../../lib/checkpoint/store-memory.ts';
import { CommitPointFencedError, FencedError, StoreUnavailableError } from '../../lib/errors.ts';
import { manifestOf } from '../contract/snapshot-store.manifests.ts';
import { quiet } from '../job/quiet.ts';
import { FailingStore } from './failing-store.ts';

const ref = { job: 'totals', task: 'main' };
const here: CommitPointIdentity = { kind: 'kafka', clusterId: 'here' };
const there: CommitPointIdentity = { kind: 'kafka', clusterId: 'there' };

/** A commit point that does as a spec says, and keeps what it was asked, in order. */
class Scripted implements ExternalCommitPoint {
  readonly kind = 'kafka';
  readonly asked: string[] = [];
  record: CommitRecord | undefined;
  stale: CommitRecord | undefined;
  /** Runs inside the next `fence`. */
  whenFenced: (() => void) | undefined;
  failure: unknown;
  readonly identity: CommitPointIdentity;

  constructor(identity: CommitPointIdentity) {
    this.identity = identity;
  }

  async open() {
    this.asked.push('open');
    return this.identity;
  }
  async read(isStable: boolean) {
    this.asked.push(isStable ? 'read stable' : 'read');
    return isStable ? this.record : (this.stale ?? this.record);
  }
  async fence() {
    this.asked.push('fence');
    this.whenFenced?.();
    this.whenFenced = undefined;
  }
  async commit(manifest: Manifest, record: CommitRecord) {
    this.asked.push(`commit ${manifest.id}`);
    if (this.failure) throw this.failure;
    this.record = record;
  }
  async confirmed() {
    this.asked.push('confirmed');
  }
  async close() {
    this.asked.push('close');
  }
}

const named = (token: number, id: number, by = here): Manifest => ({ ...manifestOf(ref, token, id), commitPoint: by });
const recordOf = (manifest: Manifest): CommitRecord => ({
  id: manifest.id,
  token: manifest.token,
  checksum: manifestChecksum(manifest),
});

function place(previous?: Scripted) {
  const kept = memoryStore().task(ref);
  const store = new FailingStore(kept);
  const point = new Scripted(here);
  const options: RecoveryOptions = { ref, choices: {}, logger: quiet, previous: () => previous };
  return { kept, store, point, options, commitPoint: externalCommitPoint(store, point, options) };
}

describe('recovery from a commit point outside the store', () => {
  it('asks in this order, takes a token above that of the record, and confirms what the record names', async () => {
    const { kept, point, commitPoint, store } = place();
    await kept.acquireFence(6);
    const decided = named(7, 3);
    await kept.prepare(7, decided);
    point.record = recordOf(decided);
    const recovered = await commitPoint.recover();
    expect(point.asked).toEqual(['open', 'read', 'fence', 'read stable']);
    expect(recovered).toMatchObject({ token: 8, committed: decided, lastId: 3, commitPoint: here, takesOver: false });
    expect(recovered.stored).toEqual([{ manifest: decided, confirmed: true }]);
    expect(store.asked).toEqual(['acquireFence', 'manifests', 'confirm', 'manifests']);
  });

  it('takes over before anything enters where this commit point has decided nothing', async () => {
    const { kept, commitPoint } = place();
    expect(await commitPoint.recover()).toMatchObject({ committed: undefined, takesOver: true });
    await kept.prepare(1, manifestOf(ref, 1, 1));
    await kept.confirm(1, 1);
    expect(await commitPoint.recover()).toMatchObject({ committed: { id: 1 }, takesOver: true });
  });

  it('begins again above a record whose token is not below its own: the store has lost what it knew', async () => {
    const { point, commitPoint, kept } = place();
    const decided = named(5, 3);
    point.whenFenced = () => {
      // Somebody committed until the very moment of the fence, under a token that this store never handed out.
      point.record = { ...recordOf(decided), token: 9 };
    };
    await expect(commitPoint.recover()).rejects.toMatchObject({ code: 'STATE_LOST' });
    expect(point.asked).toEqual(['open', 'read', 'fence', 'read stable', 'fence', 'read stable']);
    expect(await kept.fence()).toBe(10);
  });

  it('never fences others off once it was taken over itself', async () => {
    const { store, kept, point, commitPoint } = place();
    const held = Promise.withResolvers<void>();
    store.plan('manifests', held.promise);
    const recovering = commitPoint.recover();
    while (!store.asked.includes('manifests')) await Promise.resolve();
    await kept.acquireFence(0);
    held.resolve();
    await expect(recovering).rejects.toThrow(FencedError);
    expect(point.asked).toEqual(['open', 'read']);
  });

  it('asks the commit point before it first, when the sink has moved', async () => {
    const before = new Scripted(there);
    const { kept, point, commitPoint } = place(before);
    await kept.acquireFence(0);
    const old = named(1, 1, there);
    await kept.prepare(1, old);
    await kept.confirm(1, 1);
    const decided = named(1, 2, there);
    await kept.prepare(1, decided);
    before.record = recordOf(decided);
    const recovered = await commitPoint.recover();
    expect(before.asked).toEqual(['open', 'fence', 'read stable', 'close']);
    expect(point.asked).toEqual(['open', 'read', 'fence', 'read stable']);
    expect(recovered).toMatchObject({ committed: decided, takesOver: true, commitPoint: here });
  });

  it('asks the commit point before it when the store decides again', async () => {
    const before = new Scripted(there);
    const { kept, store, options } = place(before);
    await kept.acquireFence(0);
    const decided = named(1, 1, there);
    await kept.prepare(1, decided);
    await kept.confirm(1, 1);
    before.record = recordOf(decided);
    const recovered = await storeCommitPoint(store, options).recover();
    expect(before.asked).toEqual(['open', 'fence', 'read stable', 'close']);
    expect(recovered).toMatchObject({ token: 2, committed: decided, takesOver: true, commitPoint: { kind: 'store' } });
  });
});

describe('a commit outside the store', () => {
  it('is not asked for again when only the store has not answered', async () => {
    const { store, kept, point, commitPoint } = place();
    const { token } = await commitPoint.recover();
    const manifest = named(token, 1);
    await kept.prepare(token, manifest);
    store.plan('confirm', 'refuses');
    await expect(async () => commitPoint.commit(token, manifest)).rejects.toThrow(StoreUnavailableError);
    await commitPoint.commit(token, manifest);
    expect(point.asked.slice(4)).toEqual(['commit 1', 'confirmed']);
    expect(await kept.manifests()).toEqual([{ manifest, confirmed: true }]);
  });

  it('that is refused asks the fence of the store whose fault it is', async () => {
    const { kept, point, commitPoint } = place();
    const { token } = await commitPoint.recover();
    const manifest = named(token, 1);
    await kept.prepare(token, manifest);
    point.failure = new CommitPointFencedError('nothing more from you');
    await expect(async () => commitPoint.commit(token, manifest)).rejects.toThrow(CommitPointFencedError);
    await kept.acquireFence(0);
    await expect(async () => commitPoint.commit(token, manifest)).rejects.toThrow(FencedError);
  });
});
