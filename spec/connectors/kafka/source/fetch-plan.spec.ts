import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FetchPlan, type Kept, type PlannedFetch } from '../../../../connectors/kafka/source/fetch-plan.ts';

const limits = { requestBytes: 100, partitionBytes: 40, bufferBytes: 200 };
const at = (partition: number) => ({ topic: 'payments', partition });

/** A plan with so many partitions, all led by node 1. */
function planOf(count: number, over: Partial<typeof limits> = {}): FetchPlan {
  const plan = new FetchPlan({ ...limits, ...over });
  for (let partition = 0; partition < count; partition++) {
    plan.assign(at(partition), 0);
    plan.ledBy(at(partition), 1);
  }
  return plan;
}

const asked = (request: PlannedFetch | undefined) => request?.partitions.map(({ partition }) => partition);

/** Answers a request with so many bytes (and records) for some of its partitions. */
function answer(plan: FetchPlan, request: PlannedFetch | undefined, bytes: Record<number, number>): Kept[] {
  if (!request) throw new Error('nothing was asked');
  plan.answered(request);
  return request.partitions.flatMap(one => {
    const size = bytes[one.partition];
    return size === undefined ? [] : (plan.fetched(one, one.offset + size, size) ?? []);
  });
}

describe('FetchPlan', () => {
  it('asks a node for all of its partitions, each from where it was read to, and for no other', () => {
    const plan = planOf(2);
    plan.assign(at(2), 7);
    plan.ledBy(at(2), 2);
    expect(asked(plan.request(1, 0))).toEqual([0, 1]);
    expect(plan.request(2, 0)?.partitions).toMatchObject([{ partition: 2, offset: 7, maxBytes: 40 }]);
  });

  it('asks nothing for a partition while an answer for it is under way', () => {
    const plan = planOf(1);
    const request = plan.request(1, 0);
    expect(plan.request(1, 0)).toBeUndefined();
    answer(plan, request, { 0: 10 });
    expect(plan.request(1, 0)?.partitions).toMatchObject([{ partition: 0, offset: 10 }]);
  });

  it('puts whoever got something behind those that did not, so that none starves when an answer is full', () => {
    const plan = planOf(4);
    answer(plan, plan.request(1, 0), { 0: 20, 1: 20 });
    const second = plan.request(1, 0);
    expect(asked(second)).toEqual([2, 3, 0, 1]);
    answer(plan, second, { 2: 20 });
    expect(asked(plan.request(1, 0))).toEqual([3, 0, 1, 2]);
  });

  it('has one answer waiting while another is read, and asks nothing of the node before one of them was', () => {
    const plan = planOf(2);
    const [first] = answer(plan, plan.request(1, 0), { 0: 40 });
    answer(plan, plan.request(1, 0), { 0: 40 });
    expect(plan.request(1, 0)).toBeUndefined();
    plan.read(first as Kept);
    expect(asked(plan.request(1, 0))).toEqual([1, 0]);
  });

  it('never lets answers hold more than the buffer takes', () => {
    const plan = planOf(3, { requestBytes: 150, bufferBytes: 130 });
    plan.ledBy(at(2), 2);
    const first = plan.request(1, 0);
    expect(first?.maxBytes).toBe(65); // half of the buffer: there are two nodes
    const second = plan.request(2, 0);
    expect(second?.maxBytes).toBe(40); // one partition brings no more
    const [kept] = answer(plan, second, { 2: 40 });
    // Less than what one partition may bring is left: a request for so little would take many.
    expect(plan.request(2, 0)).toBeUndefined();
    plan.read(kept as Kept);
    expect(plan.request(2, 0)?.maxBytes).toBe(40);
  });

  it('asks every node, also while others have nothing and wait for records', () => {
    const mib = 2 ** 20;
    const plan = new FetchPlan({ requestBytes: 8 * mib, partitionBytes: mib, bufferBytes: 32 * mib });
    const nodes = Array.from({ length: 12 }, (_, node) => node);
    for (let partition = 0; partition < 120; partition++) {
      plan.assign(at(partition), 0);
      plan.ledBy(at(partition), partition % nodes.length);
    }
    const requests = nodes.map(node => plan.request(node, 0));
    expect(requests.every(request => request !== undefined && request.maxBytes >= 2 * mib)).toBe(true);
  });

  it('stops to ask behind the stop offset', () => {
    const plan = new FetchPlan(limits);
    plan.assign(at(0), 0, 10);
    plan.ledBy(at(0), 1);
    const [kept] = answer(plan, plan.request(1, 0), { 0: 12 });
    plan.read(kept as Kept);
    expect(plan.request(1, 0)).toBeUndefined();
  });

  it('drops what belongs to an older assignment: of a partition that was assigned again, moved or taken away', () => {
    for (const change of [
      (plan: FetchPlan) => plan.assign(at(0), 0),
      (plan: FetchPlan) => plan.seek(at(0), 0),
      (plan: FetchPlan) => plan.pause(at(0), 0),
      (plan: FetchPlan) => plan.remove(at(0)),
    ]) {
      const plan = planOf(1);
      const [kept] = answer(plan, plan.request(1, 0), { 0: 10 });
      const underWay = plan.request(1, 0);
      change(plan);
      expect(plan.isCurrent(kept as Kept)).toBe(false);
      expect(answer(plan, underWay, { 0: 10 })).toEqual([]);
      expect(plan.of(at(0))?.offset ?? 0).toBe(0);
      plan.read(kept as Kept);
      expect(plan.heldBytes).toBe(0);
    }
  });

  it('asks nothing for a paused partition, whose room the others have, until it is resumed', () => {
    const plan = planOf(2);
    answer(plan, plan.request(1, 0), { 0: 40 });
    answer(plan, plan.request(1, 0), { 0: 40 });
    expect(plan.request(1, 0)).toBeUndefined();
    plan.pause(at(0), 15);
    expect(plan.heldBytes).toBe(0);
    const request = plan.request(1, 0);
    expect(asked(request)).toEqual([1]);
    answer(plan, request, {});
    plan.resume(at(0));
    expect(plan.request(1, 0)?.partitions).toMatchObject([{ partition: 1 }, { partition: 0, offset: 15 }]);
  });

  it('asks nothing for a partition whose offset is not there, until it is sent elsewhere', () => {
    const plan = planOf(1);
    answer(plan, plan.request(1, 0), {});
    plan.hold(at(0));
    expect(plan.request(1, 0)).toBeUndefined();
    plan.seek(at(0), 30);
    expect(plan.request(1, 0)?.partitions).toMatchObject([{ offset: 30 }]);
  });

  it('waits longer after each failure in a row, and not after a success', () => {
    const plan = planOf(1);
    const fail = (now: number) => {
      const request = plan.request(1, now);
      if (!request) throw new Error('nothing was asked');
      plan.answered(request);
      return plan.failed(at(0), now, false);
    };
    expect(fail(1_000)).toBe(1_000);
    expect([plan.request(1, 1_099), plan.nextRetryAt(1_000)]).toEqual([undefined, 1_100]);
    expect(fail(1_100)).toBe(1_000);
    expect([plan.request(1, 1_299), plan.nextRetryAt(1_100)]).toEqual([undefined, 1_300]);
    const request = plan.request(1, 1_300);
    answer(plan, request, {});
    expect(plan.succeeded((request as PlannedFetch).partitions[0] as never)).toBe(1_000);
    expect(plan.nextRetryAt(1_300)).toBeUndefined();
    expect(fail(2_000)).toBe(2_000);
    expect(plan.nextRetryAt(2_000)).toBe(2_100);
  });

  it('looks for another leader of a partition that is led elsewhere, but not before it may be asked again', () => {
    const plan = planOf(2);
    const request = plan.request(1, 0);
    plan.answered(request as PlannedFetch);
    plan.failed(at(0), 0, true);
    expect(asked(plan.request(1, 0))).toEqual([1]);
    expect(plan.leaderless(99)).toEqual([]);
    expect(plan.leaderless(100)).toMatchObject([{ partition: 0 }]);
  });

  it('loses no offset and holds no more than it may, whatever comes when', () => {
    const step = fc.record({
      does: fc.constantFrom('ask', 'ask', 'answer', 'answer', 'read', 'read', 'lose', 'seek', 'pause', 'resume'),
      partition: fc.nat(3),
      bytes: fc.nat(40),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const plan = planOf(4);
        for (const partition of [2, 3]) plan.ledBy(at(partition), 2);
        const underWay = new Map<number, PlannedFetch>();
        let chunks: (Kept & { behind: number })[] = [];
        /** What each partition was read up to. */
        const read = [0, 0, 0, 0];
        let now = 0;
        for (const { does, partition, bytes } of steps) {
          now += 50;
          const node = partition < 2 ? 1 : 2;
          const request = underWay.get(node);
          if (does === 'ask' && !request) {
            const next = plan.request(node, now);
            if (next) underWay.set(node, next);
          } else if (does === 'answer' && request) {
            underWay.delete(node);
            plan.answered(request);
            let left = request.maxBytes;
            for (const one of request.partitions) {
              const size = Math.min(bytes, left, one.maxBytes);
              left -= size;
              const kept = size > 0 ? plan.fetched(one, one.offset + size, size) : undefined;
              if (kept) chunks.push({ ...kept, behind: one.offset + size });
            }
          } else if (does === 'lose' && request) {
            underWay.delete(node);
            plan.answered(request);
            for (const one of request.partitions) plan.failed(one, now, false);
          } else if (does === 'read') {
            const chunk = chunks.shift();
            if (chunk && plan.isCurrent(chunk)) {
              // Each chunk continues the one before it: nothing is left out, nothing comes twice.
              expect(chunk.offset).toBe(read[chunk.partition]);
              read[chunk.partition] = chunk.behind;
              plan.read(chunk);
            }
          } else if (does === 'seek') plan.seek(at(partition), read[partition] as number);
          else if (does === 'pause') plan.pause(at(partition), read[partition] as number);
          else if (does === 'resume') plan.resume(at(partition));
          expect(plan.heldBytes).toBeLessThanOrEqual(limits.bufferBytes);
        }
        for (const request of underWay.values()) plan.answered(request);
        for (const chunk of chunks) plan.read(chunk);
        chunks = [];
        expect(plan.heldBytes).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});
