import { describe, expect, test } from 'vitest';
import { SendWindow, type Slot } from '../../../../connectors/kafka/produce/send-window.ts';

const batch = (recordCount: number, name = '') => ({ recordCount, name });
type Batch = ReturnType<typeof batch>;

/** With one batch sent and acknowledged, so that the broker knows the producer. */
function knownWindow(limit: number): SendWindow<Batch> {
  const window = new SendWindow<Batch>(limit);
  window.add(batch(1));
  window.acknowledged(sent(window));
  return window;
}

function sent(window: SendWindow<Batch>): Slot<Batch> {
  const slot = window.next();
  if (!slot) throw new Error('nothing to send');
  return slot;
}

describe('a send window', () => {
  test('numbers batches by their records, in order', () => {
    const window = knownWindow(5);
    for (const count of [3, 1, 4]) window.add(batch(count));
    expect([sent(window), sent(window), sent(window)].map(({ baseSequence }) => baseSequence)).toEqual([1, 4, 5]);
    expect(window.next()).toBeUndefined();
  });

  test.each([1, 2, 5])('lets %i go without an acknowledgement', limit => {
    const window = knownWindow(limit);
    for (let i = 0; i < 7; i++) window.add(batch(1));
    const inFlight = Array.from({ length: limit }, () => sent(window));
    expect(window.isReady).toBe(false);
    // Of the limit only what is oldest makes room: the broker must still know each batch when it comes again.
    for (const slot of inFlight.slice(1)) window.acknowledged(slot);
    expect(window.isReady).toBe(false);
    window.acknowledged(inFlight[0] as Slot<Batch>);
    expect(window.isReady).toBe(true);
  });

  test('lets the first batch go alone until it is acknowledged', () => {
    const window = new SendWindow<Batch>(5);
    expect(window.hasRoom).toBe(true);
    window.add(batch(1));
    expect(window.hasRoom).toBe(false);
    window.add(batch(1));
    const first = sent(window);
    expect(window.next()).toBeUndefined();
    window.again(first);
    expect(sent(window)).toBe(first);
    expect(window.next()).toBeUndefined();
    window.acknowledged(first);
    expect(sent(window).baseSequence).toBe(1);
  });

  test('is as careful again when the broker may have forgotten the producer', () => {
    const window = knownWindow(5);
    window.doubt();
    window.add(batch(1));
    window.add(batch(1));
    const first = sent(window);
    expect(window.isReady).toBe(false);
    window.acknowledged(first);
    expect(window.isReady).toBe(true);
  });

  test('waits after a failure for all that is in flight, then sends what failed one by one with its old numbers', () => {
    const window = knownWindow(5);
    for (const name of ['a', 'b', 'c', 'd']) window.add(batch(2, name));
    const [a, b, c] = [sent(window), sent(window), sent(window)];
    window.again(b);
    expect(window.isReady).toBe(false);
    window.acknowledged(a);
    expect(window.isReady).toBe(false);
    window.again(c);

    expect(sent(window)).toBe(b);
    expect(b).toMatchObject({ baseSequence: 3, sends: 2 });
    expect(window.next()).toBeUndefined();
    window.acknowledged(b);
    expect(sent(window)).toBe(c);
    expect(c.baseSequence).toBe(5);
    // Nothing has failed any more: what is new may follow at once.
    expect(sent(window)).toMatchObject({ baseSequence: 7, sends: 1 });
  });

  test('knows which batch is the oldest without an acknowledgement', () => {
    const window = knownWindow(5);
    for (let i = 0; i < 3; i++) window.add(batch(1));
    const [a, b, c] = [sent(window), sent(window), sent(window)];
    expect([a, b, c].map(slot => window.isOldest(slot))).toEqual([true, false, false]);
    window.acknowledged(b);
    window.acknowledged(a);
    expect(window.isOldest(c)).toBe(true);
  });

  test('begins again at 0, only when it is empty', () => {
    const window = knownWindow(5);
    window.add(batch(1));
    expect(() => window.restart()).toThrow('on their way');
    window.acknowledged(sent(window));
    window.restart();
    window.add(batch(1));
    expect(sent(window).baseSequence).toBe(0);
  });

  test('takes no answer twice', () => {
    const window = knownWindow(5);
    window.add(batch(1));
    const slot = sent(window);
    window.again(slot);
    expect(() => window.acknowledged(slot)).toThrow('while it was again');
  });
});
