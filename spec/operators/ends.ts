import { type Observable, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DataStream, from, type KeyOrNone } from '../../lib/index.ts';
import { type MarbleInput, marbles } from '../../lib/testing/index.ts';

/**
 * The ends that each operator has: an empty input, its error, and nobody who reads. `empty` is what comes of an empty input, where
 * that is more than its barrier and its end.
 */
export function itEnds(
  build: (input: MarbleInput) => DataStream<unknown, KeyOrNone>,
  {
    empty = '-B-|',
    values = {},
  }: { readonly empty?: string; readonly values?: Readonly<Record<string, unknown>> } = {},
): void {
  it('passes the barrier of an empty input, and ends with it', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-|', build)).toBe(empty, values);
    });
  });

  it('fails with the error of its input', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-B-#', build)).toBe(empty.includes('#') ? '-B-#' : empty.replace(/\(?[a-z]*\|\)?$/, '#'));
    });
  });

  describe('when it is unsubscribed', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('unsubscribes from its input, waits for nothing any more, and emits nothing', () => {
      const input = new Subject<string>();
      const seen: unknown[] = [];
      const output = build(from(input)) as Observable<unknown>;
      const subscription = output.subscribe({ next: value => seen.push(value), error: error => seen.push(error) });
      expect(input.observed).toBe(true);
      input.next('a');
      const { length } = seen;
      expect(seen.some(one => one instanceof Error)).toBe(false);
      subscription.unsubscribe();
      expect(input.observed).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(60_000);
      expect(seen.length).toBe(length);
    });
  });
}
