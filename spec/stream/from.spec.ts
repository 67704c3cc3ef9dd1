import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { from, JobDefinitionError, type Source } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { type AnyStream, DrivenJob } from './driven-job.ts';

describe('from a source of a connector', () => {
  it('keeps the source as it is, or gives it another name', () => {
    class WithPrivateFields implements Source<number> {
      readonly kind = 'private';
      readonly name = 'own';
      readonly bounded = true;
      #opened = 0;
      check(): void {
        this.#opened += 10;
      }
      open(): never {
        this.#opened++;
        throw new Error(`opened ${this.#opened}`);
      }
    }
    const renamed = new DrivenJob(() => ({ output: from(new WithPrivateFields(), { name: 'other' }) as AnyStream }));
    expect(renamed.error?.message).toContain('opened 11');
    expect(renamed.handle.status.sources.map(({ name, kind }) => [name, kind])).toEqual([['other', 'private']]);
    const kept = new DrivenJob(() => ({ output: from(new WithPrivateFields()) as AnyStream }));
    expect(kept.handle.status.sources[0]?.name).toBe('own');
  });
});

describe('from anything else', () => {
  it.each([[undefined], [null], [7], ['text'], [[1, 2]], [{}], [() => 1]])('is refused: %j', value => {
    expect(() => from(value as never)).toThrow(JobDefinitionError);
  });

  it('refuses a stream: it is used as it is', () => {
    expect(() => from(from(of(1)))).toThrow(/given a stream \(source "observable"\)/);
  });

  it.each([
    { size: -1, when: 'error' },
    { size: 1.5, when: 'error' },
    { size: Number.NaN, when: 'error' },
    { size: Number.POSITIVE_INFINITY, when: 'error' },
    { size: 1, when: 'drop' },
    { when: 'error' },
  ])('refuses a buffer that makes no sense: %j', buffer => {
    expect(() => from(of(1), { buffer: buffer as never })).toThrow(JobDefinitionError);
  });

  it('refuses a buffer for what needs none', () => {
    const buffer = { size: 1, when: 'error' } as const;
    expect(() => from(new MarbleSource('in'), { buffer })).toThrow(/"buffer" is for Observables/);
  });
});
