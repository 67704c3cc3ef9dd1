import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { memorySource, memoryStore } from '../../connectors/memory/index.ts';
import { from, job, start } from '../../lib/index.ts';
import { quiet } from '../job/quiet.ts';

// It went on to look for requests for savepoints once a second, and kept Node alive.

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a job whose source gives everything inside start leaves no timer behind', async () => {
  const declared = job('at-once', () => from(memorySource([1, 2, 3])));
  const { done } = start(declared, { store: memoryStore(), logger: quiet });
  await expect(done).resolves.toBe('finished');
  expect(vi.getTimerCount()).toBe(0);
});
