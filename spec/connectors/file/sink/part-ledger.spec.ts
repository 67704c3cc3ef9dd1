import { describe, expect, test } from 'vitest';
import type { PartRef } from '../../../../connectors/file/sink/handle.ts';
import { PartLedger } from '../../../../connectors/file/sink/part-ledger.ts';
import { InternalError } from '../../../../lib/index.ts';

const part = (name: string, length: number): PartRef => ({ name, length, sha256: name });
const fresh = () => new PartLedger('out', { bytes: 0, digest: 'none' });

describe('handles', () => {
  test('begin behind everything committed before', () => {
    const ledger = fresh();
    ledger.draw(1, part('a', 5));
    const first = ledger.handle(1);
    expect(first).toEqual({ version: 1, path: 'out', offset: 0, length: 5, before: 'none', parts: [part('a', 5)] });
    ledger.commit(1, first, 'digest');
    ledger.draw(2, part('b', 2));
    expect(ledger.handle(2)).toMatchObject({ offset: 5, length: 2, before: 'digest', parts: [part('b', 2)] });
  });

  test('hold what abandoned checkpoints held, in order', () => {
    const ledger = fresh();
    ledger.draw(1, part('a', 5));
    ledger.abandon(1);
    ledger.draw(2, undefined);
    ledger.abandon(2);
    ledger.draw(3, part('b', 1));
    expect(ledger.handle(3)).toMatchObject({ offset: 0, length: 6, parts: [part('a', 5), part('b', 1)] });
    expect(ledger.sealedEnd).toBe(6);
  });

  test('go on where a restored one ends', () => {
    const handle = { version: 1, path: 'out', offset: 3, length: 4, before: 'x', parts: [part('old', 4)] } as const;
    const ledger = new PartLedger(
      'out',
      { bytes: 7, digest: 'y' },
      { id: 4, handle: { ...handle, parts: [...handle.parts] } },
    );
    expect(ledger.isCommitted(4)).toBe(true);
    expect(ledger.isCommitted(5)).toBe(false);
    ledger.draw(5, part('new', 1));
    expect(ledger.commit(5, ledger.handle(5), 'z')).toEqual([part('old', 4)]);
  });
});

describe('parts', () => {
  test('are needed until the next checkpoint is applied', () => {
    const ledger = fresh();
    ledger.draw(1, part('a', 5));
    expect(ledger.hasUncommitted).toBe(true);
    expect(ledger.commit(1, ledger.handle(1), 'd')).toEqual([]);
    expect(ledger.kept).toEqual([part('a', 5)]);
    ledger.draw(2, undefined);
    expect(ledger.commit(2, ledger.handle(2), 'd')).toEqual([part('a', 5)]);
    expect(ledger.kept).toEqual([]);
    expect(ledger.hasUncommitted).toBe(false);
  });
});

describe('calls out of order', () => {
  test('are our own fault: a barrier inside a checkpoint, a handle without a barrier, another commit', () => {
    const ledger = fresh();
    expect(() => ledger.handle(1)).toThrow(InternalError);
    ledger.draw(1, part('a', 5));
    expect(() => ledger.draw(2, undefined)).toThrow(InternalError);
    expect(() => ledger.commit(2, ledger.handle(1), 'd')).toThrow(InternalError);
  });

  test('an abandon of a checkpoint that is over changes nothing', () => {
    const ledger = fresh();
    ledger.draw(1, part('a', 5));
    ledger.commit(1, ledger.handle(1), 'd');
    ledger.draw(2, part('b', 1));
    ledger.abandon(1);
    expect(ledger.handle(2).length).toBe(1);
  });
});
