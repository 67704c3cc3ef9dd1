import { describe, expect, it } from 'vitest';
import { type DataStream, StreamRecord, Watermark } from '../../lib/index.ts';
import { aggregates, coGroup, slidingWindow, tumblingWindow } from '../../operators/index.ts';
import { onMemory } from '../operators/windows/on-memory.ts';

const windows = 20_000;
const size = 10;
/** A record in each window, and a watermark behind them all, as after an outage. */
const items = [
  ...Array.from({ length: windows }, (_, i) => new StreamRecord(i, i * size, undefined)),
  new Watermark(windows * size),
];

// Cause: each timer, or each record, went through all that the key had: 20,000 took half a minute, in which no barrier passed.
describe('20,000 open windows of one key end within seconds', { timeout: 10_000 }, () => {
  const count = aggregates.count<number>();

  it.each([
    ['tumbling', tumblingWindow('w', size, count), windows],
    ['tumbling, kept for late records', tumblingWindow('w', size, count, { lateness: '1h' }), windows],
    ['sliding', slidingWindow('w', size * 2, size, count), windows + 1],
  ])('%s', async (_what, operator, results) => {
    const seen = await onMemory<number, unknown>(items, stream => stream.pipe(operator));
    expect(seen).toHaveLength(results);
  });

  it('with early results', async () => {
    const early = tumblingWindow('w', size, count, { early: { every: '1h' } });
    expect(await onMemory<number, unknown>(items, stream => stream.pipe(early))).toHaveLength(windows);
  });

  it('of two streams', async () => {
    const grouped = (stream: DataStream<number>) =>
      coGroup('w', stream, stream, { size, result: (_, lefts, rights) => lefts.length + rights.length });
    expect(await onMemory<number, number>(items, grouped)).toHaveLength(windows);
  });
});
