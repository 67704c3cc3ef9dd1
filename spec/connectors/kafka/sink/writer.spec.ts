import { describe, expect, test } from 'vitest';
import { kafkaSinkSettings } from '../../../../connectors/kafka/sink/options.ts';
import type { Outlet } from '../../../../connectors/kafka/sink/outlet.ts';
import type { TopicRoutes } from '../../../../connectors/kafka/sink/topic-routes.ts';
import { KafkaSinkWriter } from '../../../../connectors/kafka/sink/writer.ts';
import type { SinkContext } from '../../../../lib/index.ts';

/** A writer, and what has come through it. */
function writerOf(guarantee: 'none' | 'at-least-once' | 'exactly-once') {
  const written: string[] = [];
  let held = 0;
  const outlet: Outlet = {
    write: (_topic, _partition, _timestamp, _key, value) => void written.push(String(value)),
    flush: async () => void written.push('flushed'),
    isFull: false,
    whenRoom: () => {},
  };
  const context = {
    credits: { acquire: (n: number) => (held += n), release: (n: number) => (held -= n), full: () => {} },
    error: (error: unknown) => {
      throw error;
    },
  } as unknown as SinkContext;
  const settings = kafkaSinkSettings<string>({
    brokers: 'nobody:1',
    topic: 'totals',
    guarantee,
    key: () => 'card',
    value: { serialize: value => value },
  });
  const route = { topic: 'totals', partitions: 1, maxBytes: undefined };
  const routes = { route: () => route, prepare: async () => route } as unknown as TopicRoutes;
  const writer = new KafkaSinkWriter(settings, context, outlet, routes);
  const write = (value: string) => writer.write(value, 0, undefined);
  return { writer, write, written, held: () => held };
}

describe('what comes behind the barrier of a checkpoint', () => {
  test('waits, holding credits, until the checkpoint is committed: then it goes, in order', async () => {
    const { writer, write, written, held } = writerOf('exactly-once');
    write('1');
    writer.barrier();
    write('2');
    write('3');
    await writer.flush();
    expect(written).toEqual(['1', 'flushed']);
    expect(held()).toBe(2);
    writer.commit();
    write('4');
    expect(written).toEqual(['1', 'flushed', '2', '3', '4']);
    expect(held()).toBe(0);
  });

  test('goes when the checkpoint is abandoned, into the transaction that stays open', async () => {
    const { writer, write, written } = writerOf('exactly-once');
    writer.barrier();
    write('1');
    expect(written).toEqual([]);
    writer.abandon();
    expect(written).toEqual(['1']);
    writer.barrier();
    write('2');
    await writer.flush();
    expect(written).toEqual(['1', 'flushed']);
  });

  test.each(['at-least-once', 'none'] as const)('goes at once when the guarantee is %s', guarantee => {
    const { writer, write, written } = writerOf(guarantee);
    writer.barrier();
    write('1');
    expect(written).toEqual(['1']);
  });
});
