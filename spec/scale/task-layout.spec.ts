import { expect, it } from 'vitest';
import { protocolName } from '../../connectors/kafka/client/member/subscription.ts';
import { verifyLayout } from '../../lib/scale/task-layout.ts';

const layout = { index: 1, count: 4, partitions: { orders: 4 } };
const ref = { job: 'counts', task: '1' };

it('takes up what is of the same tasks and the same line, and nothing else', () => {
  const line = { ...layout, spread: 'a' };
  expect(() => verifyLayout(ref, line, { tasks: line }, true)).not.toThrow();
  expect(() => verifyLayout(ref, line, undefined, true)).not.toThrow();
  for (const other of [layout, { ...layout, spread: 'b' }]) {
    expect(() => verifyLayout(ref, line, { tasks: other }, false)).toThrow(/of another line. Start this process again/);
    expect(() => verifyLayout(ref, other, { tasks: line }, false)).toThrow(/of another line/);
  }
  for (const other of [undefined, { ...line, index: 2 }, { ...line, count: 3 }]) {
    expect(() => verifyLayout(ref, line, other ? { tasks: other } : {}, false)).toThrow(/stored state/);
  }
});

it('gives members of different lines nothing in common', () => {
  const [a, b] = ['0123456789abcdef', '0123456789ab0000'].map(spread => protocolName(4, spread));
  expect(a).toBe('tidemark-tasks-4-0123456789ab');
  expect(b).toBe(a);
  expect(new Set([protocolName(4), protocolName(5), protocolName(4, 'ffff'), a]).size).toBe(4);
});
