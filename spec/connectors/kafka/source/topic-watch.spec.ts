import { describe, expect, it } from 'vitest';
import type { TopicMetadata } from '../../../../connectors/kafka/client/port.ts';
import { selects, TopicWatch } from '../../../../connectors/kafka/source/topic-watch.ts';

const topic = (name: string, partitions: number, isInternal = false): TopicMetadata => ({
  topic: name,
  isInternal,
  partitions: Array.from({ length: partitions }, (_, partition) => ({
    topic: name,
    partition,
    leader: 1,
    leaderEpoch: 0,
  })),
});
const names = (partitions: readonly { topic: string; partition: number }[]) =>
  partitions.map(({ topic: name, partition }) => `${name}-${partition}`);

describe('TopicWatch', () => {
  it('finds the partitions of the topics in its list, and of no other', () => {
    const watch = new TopicWatch(['payments']);
    expect(watch.asked).toEqual(['payments']);
    const { added } = watch.look([topic('payments', 2), topic('refunds', 1)]);
    expect(names(added)).toEqual(['payments-0', 'payments-1']);
  });

  it('tells each partition once, and new ones when they appear', () => {
    const watch = new TopicWatch(['payments']);
    watch.look([topic('payments', 2)]);
    expect(watch.look([topic('payments', 2)])).toEqual({ added: [], removed: [], remade: [], shrunk: [] });
    expect(names(watch.look([topic('payments', 4)]).added)).toEqual(['payments-2', 'payments-3']);
  });

  it('finds topics by pattern, also those that are made later, but none of Kafka itself', () => {
    const watch = new TopicWatch(/^pay|offsets/);
    expect(watch.asked).toBe('all');
    expect(names(watch.look([topic('payments', 1), topic('__consumer_offsets', 50, true)]).added)).toEqual([
      'payments-0',
    ]);
    expect(names(watch.look([topic('payments', 1), topic('paybacks', 1)]).added)).toEqual(['paybacks-0']);
  });

  it('matches with a pattern that remembers where it was', () => {
    const global = /pay/g;
    for (let i = 0; i < 3; i++) expect(selects(global, topic('payments', 1))).toBe(true);
  });

  it('reads a topic of Kafka itself when it is named', () => {
    expect(selects(['__consumer_offsets'], topic('__consumer_offsets', 1, true))).toBe(true);
  });

  it('says that a topic is gone when it was absent twice, and finds it anew when it comes back', () => {
    const watch = new TopicWatch(/./);
    watch.look([topic('payments', 2), topic('refunds', 1)]);
    expect(watch.look([topic('payments', 2)]).removed).toEqual([]);
    expect(watch.look([topic('payments', 2)]).removed).toEqual(['refunds']);
    expect(watch.look([topic('payments', 2)]).removed).toEqual([]);
    expect(names(watch.look([topic('payments', 2), topic('refunds', 1)]).added)).toEqual(['refunds-0']);
  });

  it('does not count absences that were not in a row', () => {
    const watch = new TopicWatch(/./);
    watch.look([topic('payments', 2)]);
    watch.look([]);
    expect(watch.look([topic('payments', 2)])).toEqual({ added: [], removed: [], remade: [], shrunk: [] });
    expect(watch.look([]).removed).toEqual([]);
  });

  it('says that a topic has fewer partitions than it had', () => {
    const watch = new TopicWatch(['payments'], new Map([['payments', 4]]));
    expect(watch.look([topic('payments', 2)])).toEqual({
      added: [],
      removed: [],
      remade: [],
      shrunk: [{ topic: 'payments', from: 4, to: 2 }],
    });
  });

  it('tells a topic that was made anew by its id, however many partitions it has', () => {
    const watch = new TopicWatch(['payments']);
    watch.look([{ ...topic('payments', 2), id: 'a' }]);
    expect(watch.look([{ ...topic('payments', 2), id: 'a' }]).remade).toEqual([]);
    const changes = watch.look([{ ...topic('payments', 3), id: 'b' }]);
    expect(changes).toMatchObject({ remade: ['payments'], removed: [], shrunk: [] });
    expect(names(changes.added)).toEqual(['payments-0', 'payments-1', 'payments-2']);
    expect(watch.ids).toEqual(new Map([['payments', 'b']]));
    // A broker that gives no ids says nothing about that.
    expect(watch.look([topic('payments', 3)])).toEqual({ added: [], removed: [], remade: [], shrunk: [] });
  });
});
