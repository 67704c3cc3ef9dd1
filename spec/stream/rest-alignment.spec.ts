import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rest } from '../../lib/stream/elements.ts';
import { RestAlignment } from '../../lib/stream/rest-alignment.ts';

describe('the rests of several inputs', () => {
  it('is passed on once it has come on every input', () => {
    const rests = new RestAlignment(2);
    const rest = new Rest('a@1');
    expect(rests.came(0, rest)).toBeUndefined();
    expect(rests.came(0, rest)).toBeUndefined();
    expect(rests.came(1, rest)).toBe(rest);
    expect(rests.came(1, rest)).toBeUndefined();
  });

  it('does not wait for an input that has ended, whichever came first', () => {
    const rest = new Rest('a@1');
    const before = new RestAlignment(2);
    expect(before.closed(1)).toBeUndefined();
    expect(before.came(0, rest)).toBe(rest);
    expect(before.came(1, rest)).toBeUndefined();
    const after = new RestAlignment(2);
    expect(after.came(0, rest)).toBeUndefined();
    expect(after.closed(1)).toBe(rest);
  });

  it('begins anew with another', () => {
    const rests = new RestAlignment(2);
    rests.came(0, new Rest('a@1'));
    expect(rests.came(1, new Rest('b@2'))).toBeUndefined();
    expect(rests.came(0, new Rest('b@2'))?.id).toBe('b@2');
  });

  it('passes each on once, exactly when nothing can come any more', () => {
    const step = fc.record({ input: fc.nat(2), closes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        const rests = new RestAlignment(3);
        const rest = new Rest('a@1');
        const [quiet, came] = [new Set<number>(), new Set<number>()];
        let passed = 0;
        for (const { input, closes } of steps) {
          quiet.add(input);
          if (!closes) came.add(input);
          if (closes ? rests.closed(input) : rests.came(input, rest)) passed++;
          expect(passed).toBe(quiet.size === 3 && came.size > 0 ? 1 : 0);
        }
      }),
    );
  });
});
