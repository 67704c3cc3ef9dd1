import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { taskShape } from '../../../../connectors/kafka/scale/task-shape.ts';

const shape = (counts: Readonly<Record<string, number>>, maxTasks = 64) =>
  taskShape(Object.keys(counts), new Map(Object.entries(counts)), maxTasks);

it('has a task for each partition, up to a limit', () => {
  expect(shape({ orders: 8 })).toEqual({ tasks: 8, partitions: { orders: 8 } });
  expect(shape({ orders: 100, users: 100 })).toEqual({ tasks: 64, partitions: { orders: 100, users: 100 } });
  expect(shape({ orders: 8 }, 1).tasks).toBe(1);
});

it('has as many tasks as divide the smallest count, where others are multiples of it', () => {
  expect(shape({ orders: 24, users: 12 })).toEqual({ tasks: 12, partitions: { orders: 24, users: 12 } });
  expect(shape({ orders: 24, users: 12 }, 10).tasks).toBe(6);
  expect(shape({ orders: 7, users: 14 }, 6).tasks).toBe(1);
});

it('refuses counts in which a key would be in different tasks, and names them', () => {
  const error = { code: 'KAFKA_CO_PARTITION', message: expect.stringContaining('"orders" has 12, "users" has 8') };
  expect(() => shape({ orders: 12, users: 8 })).toThrow(expect.objectContaining(error));
});

it('refuses topics that are not there, and names them', () => {
  const missing = () => taskShape(['orders', 'users'], new Map([['orders', 3]]), 64);
  expect(missing).toThrow(
    expect.objectContaining({ code: 'KAFKA_TOPIC', message: expect.stringContaining('"users"') }),
  );
});

it('puts a key into the same task, whichever topic it comes from', () => {
  const multiples = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      multiples,
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      (least, times, most, hash) => {
        const counts = Object.fromEntries([1, ...times].map((time, i) => [`t${i}`, least * time]));
        const { tasks } = shape(counts, most);
        expect(tasks).toBeLessThanOrEqual(Math.min(least, most));
        expect(new Set(Object.values(counts).map(count => (hash % count) % tasks)).size).toBe(1);
      },
    ),
  );
});
