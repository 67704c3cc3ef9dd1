import { asyncScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Serializer } from '../../../../connectors/kafka/format/serializer.ts';
import { string } from '../../../../connectors/kafka/index.ts';
import { StickyPartition } from '../../../../connectors/kafka/partition/sticky-partition.ts';
import { type KafkaSinkOptions, kafkaSinkSettings } from '../../../../connectors/kafka/sink/options.ts';
import type { Outlet } from '../../../../connectors/kafka/sink/outlet.ts';
import type { TopicRoutes } from '../../../../connectors/kafka/sink/topic-routes.ts';
import { KafkaSinkWriter } from '../../../../connectors/kafka/sink/writer.ts';
import { SharedServices } from '../../../../lib/task/shared-services.ts';
import { quiet } from '../../../job/quiet.ts';

/** A sink with topics that become known when a spec says so, and an outlet that keeps what it is given. */
function opened(options: Partial<KafkaSinkOptions<string>> = {}, known = ['out']) {
  const routes = new Map(known.map(topic => [topic, routeOf(topic)]));
  const asked: string[] = [];
  const waiting = new Map<string, () => void>();
  const written: string[] = [];
  const told = { held: 0, isFull: false, flushes: 0, errors: [] as unknown[] };
  let tellRoom: (() => void) | undefined;
  const outlet = {
    isFull: false,
    write: (topic: string, _p: number, _t: number, _k: unknown, value: unknown) => written.push(`${topic}:${value}`),
    flush: async () => {
      told.flushes++;
    },
    whenRoom: (tell: () => void) => {
      tellRoom = tell;
    },
  };
  const writer = new KafkaSinkWriter<string>(
    kafkaSinkSettings<string>({ brokers: 'a:1', topic: 'out', value: string(), ...options }),
    {
      job: 'j',
      task: 'main',
      token: 1,
      logger: quiet,
      scheduler: asyncScheduler,
      shared: new SharedServices(asyncScheduler, quiet).of,
      credits: {
        acquire: count => {
          told.held += count;
        },
        release: count => {
          told.held -= count;
        },
        full: isFull => {
          told.isFull = isFull;
        },
      },
      error: error => told.errors.push(error),
    },
    outlet as Outlet,
    {
      route: (topic: string) => routes.get(topic),
      prepare: (topic: string) => {
        asked.push(topic);
        return new Promise<void>(resolve => {
          waiting.set(topic, () => {
            routes.set(topic, routeOf(topic));
            resolve();
          });
        });
      },
    } as unknown as TopicRoutes,
  );
  const write = (...values: string[]) => {
    for (const value of values) writer.write(value, 1, undefined);
  };
  return {
    writer,
    write,
    written,
    told,
    asked,
    outlet,
    appear: (topic: string) => waiting.get(topic)?.(),
    room: () => tellRoom?.(),
  };
}

const routeOf = (topic: string) => ({
  topic,
  partitions: 2,
  maxBytes: undefined,
  sticky: new StickyPartition(1_000, 0),
});

describe('an exactly-once Kafka sink', () => {
  it('holds back what comes behind the barrier until the checkpoint has ended, with credits, in order', async () => {
    const { writer, write, written, told } = opened();
    write('a');
    writer.barrier();
    write('b', 'c');
    expect(await writer.flush()).toBeNull();
    expect([written, told.held, told.flushes]).toEqual([['out:a'], 2, 1]);
    writer.commit();
    write('d');
    expect([written, told.held]).toEqual([['out:a', 'out:b', 'out:c', 'out:d'], 0]);
  });

  it('lets it flow into the open transaction when the checkpoint is abandoned', async () => {
    const { writer, write, written, told } = opened();
    writer.barrier();
    write('b');
    writer.abandon();
    expect([written, told.held]).toEqual([['out:b'], 0]);
    writer.barrier();
    write('c');
    expect(written).toEqual(['out:b']);
  });

  it('flushes only when what waits for its topic has been written, and nothing behind the barrier with it', async () => {
    const { writer, write, written, told, asked, appear } = opened(
      { topic: value => (value.startsWith('x') ? 'late' : 'out'), name: 'two' },
      ['out'],
    );
    write('a', 'x1', 'b');
    writer.barrier();
    write('c');
    const flushed = writer.flush();
    expect([written, told.held, told.flushes, asked]).toEqual([['out:a'], 3, 0, ['late']]);
    appear('late');
    await flushed;
    expect([written, told.held, told.flushes]).toEqual([['out:a', 'late:x1', 'out:b'], 1, 1]);
    writer.commit();
    expect(written.at(-1)).toBe('out:c');
  });

  it('pauses sources while the transaction is full, and gives everything back when it is closed', () => {
    const { writer, write, told, outlet, room } = opened();
    outlet.isFull = true;
    write('a');
    expect(told.isFull).toBe(true);
    outlet.isFull = false;
    room();
    expect(told.isFull).toBe(false);
    writer.barrier();
    write('b', 'c');
    expect(told.held).toBe(2);
    writer.close();
    expect(told).toMatchObject({ held: 0, isFull: false });
  });
});

it('an at-least-once Kafka sink holds nothing back, and flushes before the checkpoint; one without a guarantee does not', async () => {
  for (const [guarantee, flushes] of [
    ['at-least-once', 1],
    ['none', 0],
  ] as const) {
    const { writer, write, written, told } = opened({ guarantee });
    write('a');
    writer.barrier();
    write('b');
    await writer.flush();
    expect([written, told.held, told.flushes]).toEqual([['out:a', 'out:b'], 0, flushes]);
  }
});

it('waits for room once, however much is written until then', () => {
  const { write, outlet } = opened();
  const waiting = new Set<() => void>();
  outlet.isFull = true;
  outlet.whenRoom = tell => waiting.add(tell);
  for (let i = 0; i < 1_000; i++) write('a');
  expect(waiting.size).toBe(1);
});

it.each(['commit', 'abandon'] as const)(
  'what cannot be written behind a barrier is the failure of its sink, not of the checkpoint: %s',
  async outcome => {
    const value: Serializer<string> = {
      serialize: text => {
        if (text === 'bad') throw new Error('not for this schema');
        return text;
      },
    };
    const { writer, write, written, told, appear } = opened({ value }, []);
    write('a');
    writer.barrier();
    write('b', 'bad');
    appear('out');
    await writer.flush();
    expect([written, told.errors]).toEqual([['out:a'], []]);
    writer[outcome]();
    expect(written).toEqual(['out:a', 'out:b']);
    expect(told.errors).toEqual([new Error('not for this schema')]);
  },
);

it('a serializer that has to be prepared is waited for, and what it fails with fails the task', async () => {
  let isReady = false;
  const prepared = Promise.withResolvers<void>();
  const value: Serializer<string> = {
    serialize: text => text,
    isPrepared: () => isReady,
    prepare: () => prepared.promise,
  };
  const { write, written, told } = opened({ value });
  write('a');
  expect(written).toEqual([]);
  isReady = true;
  write('b');
  expect(written).toEqual(['out:a', 'out:b']);
  const failing = opened({
    value: { ...value, isPrepared: () => false, prepare: async () => Promise.reject(new Error('no registry')) },
  });
  failing.write('a');
  failing.appear('out');
  await new Promise(setImmediate);
  expect(failing.told.errors).toEqual([new Error('no registry')]);
  expect(told.errors).toEqual([]);
});
