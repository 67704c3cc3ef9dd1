import { describe, expect, it } from 'vitest';
import { type DataStream, from, JobDefinitionError, job } from '../../lib/index.ts';
import { marbles } from '../../lib/testing/index.ts';
import { keyBy, repartition, scan } from '../../operators/index.ts';
import { itEnds } from './ends.ts';

// As it is in a job of one task; between several tasks see spec/scale/repartition.spec.ts.

const numbers = { 1: 1, 2: 2, 3: 3 };
const counted = (stream: DataStream<string>) =>
  stream.pipe(
    keyBy(value => value),
    repartition('words'),
    scan('count', (n: number) => n + 1, 0),
  );

describe('repartition in a job of one task', () => {
  it('passes records with their keys, barriers and the end, as they are', () => {
    marbles(({ job, expectElements, record }) => {
      const run = job('-a-B-b-|', stream =>
        stream.pipe(
          keyBy(value => value as string),
          repartition('words'),
        ),
      );
      expectElements(run).toBe('-a-B-b-|', { a: record('a', NaN, 'a'), b: record('b', NaN, 'b') });
    });
  });

  it('keeps the state behind it per key, also after a crash and a restore', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-a-B-b-a-X-', counted)).toBe('-1-2-B-1-3-(13)', numbers);
    });
  });

  it('completes with its input', () => {
    marbles(({ job, expectElements }) => {
      expectElements(job('-a-|', counted)).toBe('-1-|', numbers);
    });
  });

  itEnds(stream =>
    (stream as DataStream<string>).pipe(
      keyBy(value => value),
      repartition('words'),
    ),
  );

  it('needs a name that a topic can have', () => {
    for (const name of ['', 'a b', 'ä', 'x'.repeat(101)]) expect(() => repartition(name)).toThrow(JobDefinitionError);
  });

  it('needs a key in front of it', () => {
    async function* none() {}
    const unkeyed = job('unkeyed', () => from<string>(none()).pipe(repartition('words') as never));
    expect(() => unkeyed.graph()).toThrow(/which has no key: put keyBy/);
  });
});
