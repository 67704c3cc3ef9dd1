import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { Fetcher, type FetchSettings } from '../../../../connectors/kafka/source/fetcher.ts';
import { quiet } from '../../../job/quiet.ts';
import { FakeKafka } from './fake-kafka.ts';

/** A clock on a busy thread: what is due runs only when a spec lets it. */
class LateScheduler implements SchedulerLike {
  time = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly run: () => void }>();

  now(): number {
    return this.time;
  }

  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    const waiting = { at: this.time + delay, run: () => work.call(undefined as never, state) };
    this.#waiting.add(waiting);
    return new Subscription(() => this.#waiting.delete(waiting));
  }

  runDue(): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.at > this.time || !this.#waiting.delete(waiting)) continue;
      waiting.run();
    }
  }
}

const settings: FetchSettings = {
  isolation: 'read_committed',
  maxWaitMs: 500,
  minBytes: 1,
  retryTimeoutMs: 60_000,
  requestBytes: 1_024,
  partitionBytes: 1_024,
  bufferBytes: 8_192,
};

// Else nothing more is read of a partition whose leader has changed, as long as the others are quiet.
test('a partition whose time to be tried again came while the thread was busy is not forgotten', async () => {
  const kafka = new FakeKafka();
  kafka.topic('t', 2);
  const moved = { topic: 't', partition: 1 };
  kafka.leaders.set(moved, 2);
  kafka.onFetch = (request, node) =>
    node === 2
      ? kafka.answers(request, node).map(answer => ({ ...answer, error: 'NOT_LEADER_OR_FOLLOWER' }))
      : undefined;
  const scheduler = new LateScheduler();
  const nothing = () => {};
  const events = { changed: nothing, outOfRange: nothing, nothingBefore: nothing, failed: nothing };
  const fetcher = new Fetcher(kafka.client(), settings, scheduler, quiet, events);
  const asked = (node: number) => kafka.fetches.filter(fetch => fetch.node === node).length;
  fetcher.add({ topic: 't', partition: 0 }, 0);
  fetcher.add(moved, 0);
  await vi.waitUntil(() => asked(1) === 1 && fetcher.plan.of(moved)?.failingSince !== undefined);
  kafka.onFetch = undefined;

  // Long enough to be tried again; but first the answer of the other node is handled, which brings nothing.
  scheduler.time += 1_000;
  kafka.changed();
  await vi.waitUntil(() => asked(1) === 2);
  scheduler.runDue();
  await vi.waitFor(() => expect(asked(2)).toBe(2));
  fetcher.close();
});
