import { expect, test } from 'vitest';
import { backoffMs } from '../../../../connectors/kafka/produce/backoff.ts';

test('doubles from 10 ms to half a second, less up to half of it by chance', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(failures => backoffMs(failures, () => 0));
  expect(longest).toEqual([10, 20, 40, 80, 160, 320, 500, 500, 500]);
  expect(backoffMs(3, () => 1)).toBe(20);
});
