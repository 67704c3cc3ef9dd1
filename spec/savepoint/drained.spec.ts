import { expect, it } from 'vitest';
import { memorySink } from '../../connectors/memory/index.ts';
import { createSavepoint, from, type JobSettings, job, type Key, memoryStore, start } from '../../lib/index.ts';
import {
  aggregates,
  assignTimestamps,
  keyBy,
  to,
  tumblingWindow,
  type WindowResult,
  watermarks,
} from '../../operators/index.ts';
import { quiet } from '../job/quiet.ts';
import { NumberLog, parity } from './summing-job.ts';

it('a savepoint that a job was drained for has closed its windows, and leaves a start from it nothing to do', async () => {
  const store = memoryStore();
  const numbers = new NumberLog();
  const sink = memorySink<WindowResult<number, Key | undefined>>();
  const run = (settings: JobSettings = {}) => {
    const { promise: reads, resolve } = Promise.withResolvers<void>();
    const declared = job('windows', () =>
      from(numbers.source(resolve)).pipe(
        assignTimestamps<number>({ timestamp: value => value, watermarks: watermarks.monotonous() }),
        keyBy(parity),
        tumblingWindow('count', 100, aggregates.count<number>()),
        to(sink),
      ),
    );
    const checkpoint = { interval: 'off', requestInterval: 5 } as const;
    return { handle: start(declared, { store, logger: quiet, ...settings, checkpoint }), reads };
  };
  const { handle, reads } = run();
  await reads;
  numbers.push(1, 2, 3);
  expect(sink.written).toEqual([]);
  await createSavepoint(store, 'windows', { name: 'end', end: 'drain' });
  expect(await handle.done).toBe('finished');
  const closed = [
    { key: 'odd', value: 2 },
    { key: 'even', value: 1 },
  ];
  expect(sink.committed).toMatchObject(closed);

  numbers.push(4);
  expect(await run({ fromSavepoint: 'end' }).handle.done).toBe('finished');
  expect(sink.written).toMatchObject(closed);
});
