import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Json, type Source, TidemarkError } from '../../lib/index.ts';
import { SourceProbe } from './source-probe.ts';

/** A source over a real backend, filled with input that spans several batches. */
export interface SourceSubject<T> {
  /** A source over the whole input; each call declares it anew. */
  source(): Source<T>;
  /** What it gives, in order. */
  readonly expected: readonly T[];
  /** Gives back what the subject holds. */
  dispose?(): Promise<void> | void;
}

/** What every replayable source must do, whatever it reads from. */
export function sourceContract<T>(title: string, setUp: () => Promise<SourceSubject<T>> | SourceSubject<T>): void {
  describe(`${title} keeps the contract of a source`, () => {
    let subject: SourceSubject<T>;
    let opened: SourceProbe<T>[];

    beforeEach(async () => {
      opened = [];
      subject = await setUp();
    });

    afterEach(async () => {
      for (const probe of opened) await probe.close();
      await subject.dispose?.();
      for (const probe of opened) expect(probe.violations).toEqual([]);
    });

    const open = async (position?: Json): Promise<SourceProbe<T>> => {
      const probe = await SourceProbe.open(subject.source(), position);
      opened.push(probe);
      return probe;
    };

    const untilEnd = async (probe: SourceProbe<T>, count: number): Promise<void> => {
      if (subject.source().bounded) await probe.untilCompleted();
      else await probe.untilRecords(count);
    };

    test('finds nothing wrong with input that is there', async () => {
      await subject.source().check?.();
    });

    test('gives nothing before it is started', async () => {
      const probe = await open();
      await someTurns();
      expect(probe.values).toEqual([]);
      expect(probe.violations).toEqual([]);
    });

    test('gives every record once and in order, and completes once if it is bounded', async () => {
      const probe = (await open()).start();
      await untilEnd(probe, subject.expected.length);
      await someTurns();
      expect(probe.values).toEqual(subject.expected);
      expect(probe.completions).toBe(subject.source().bounded ? 1 : 0);
      expect(probe.errors).toEqual([]);
    });

    test('goes on behind the last record from the position of every batch', async () => {
      const probe = await open();
      const positions: { readonly count: number; readonly position: Json }[] = [
        { count: 0, position: probe.position() },
      ];
      probe.afterBatch = () => positions.push({ count: probe.values.length, position: probe.position() });
      probe.start();
      await untilEnd(probe, subject.expected.length);
      expect(positions.length).toBeGreaterThan(2);
      for (const { count, position } of positions) {
        const again = (await open(position)).start();
        await untilEnd(again, subject.expected.length - count);
        expect(again.values).toEqual(subject.expected.slice(count));
        await again.close();
      }
    });

    test('is at the position that it was opened at', async () => {
      const probe = await open();
      probe.afterBatch = () => probe.pause();
      probe.start();
      await probe.untilRecords(1);
      const again = await open(probe.position());
      expect(again.position()).toEqual(probe.position());
    });

    test('completes again, and gives nothing, from the position of its end', async () => {
      const probe = (await open()).start();
      await untilEnd(probe, subject.expected.length);
      const again = (await open(probe.position())).start();
      await untilEnd(again, 0);
      expect(again.values).toEqual([]);
    });

    test('gives no record while it is paused, and goes on where it was', async () => {
      const probe = await open();
      probe.afterBatch = () => probe.pause();
      probe.start();
      await probe.untilRecords(1);
      while (probe.values.length < subject.expected.length) {
        const before = probe.values.length;
        const position = probe.position();
        await someTurns();
        expect(probe.values.length).toBe(before);
        expect(probe.position()).toEqual(position);
        probe.resume();
        await probe.untilRecords(before + 1);
      }
      probe.resume();
      await untilEnd(probe, subject.expected.length);
      expect(probe.values).toEqual(subject.expected);
    });

    test('may be paused before it is started', async () => {
      const probe = await open();
      probe.pause();
      probe.start();
      await someTurns();
      expect(probe.values).toEqual([]);
      probe.resume();
      await untilEnd(probe, subject.expected.length);
      expect(probe.values).toEqual(subject.expected);
    });

    test('gives nothing after it was closed while a batch was handled', async () => {
      const probe = await open();
      let closing: Promise<void> | undefined;
      probe.afterBatch = () => {
        closing ??= probe.close();
      };
      probe.start();
      await probe.untilRecords(1);
      await closing;
      const count = probe.values.length;
      await someTurns();
      expect(probe.values.length).toBe(count);
      expect(probe.violations).toEqual([]);
    });

    test('closes while it is paused, and again without harm', async () => {
      const probe = await open();
      probe.afterBatch = () => probe.pause();
      probe.start();
      await probe.untilRecords(1);
      await probe.close();
      await probe.close();
      expect(probe.completions).toBe(0);
      expect(probe.violations).toEqual([]);
    });

    test('closes without having been started', async () => {
      const probe = await open();
      await probe.close();
      expect(probe.violations).toEqual([]);
    });

    test('refuses a position that is none of its own with an error of ours', async () => {
      await expect(open({ nobody: 'wrote this' })).rejects.toBeInstanceOf(TidemarkError);
    });
  });
}

/** Lets everything that is under way have its turn, many times. */
async function someTurns(): Promise<void> {
  for (let count = 0; count < 40; count++) await turn();
}
