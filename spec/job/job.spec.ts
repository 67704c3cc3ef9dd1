import { merge, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memorySink, memorySource } from '../../connectors/memory/index.ts';
import { check, from, isJob, type Job, type JobStreams, job, SettingsError, TidemarkError } from '../../lib/index.ts';
import { keyBy, scan, to, union } from '../../operators/index.ts';

const numbers = () => from(memorySource([1, 2]));
const count = (name: string) => scan(name, (n: number) => n + 1, 0);

/** The error of what is done to a job. */
function refused(work: () => unknown): TidemarkError {
  try {
    work();
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const returning = (value: unknown) => job('totals', () => value as JobStreams);

describe('job', () => {
  it('declares: its function has not run', () => {
    let runs = 0;
    const declared = job('totals', () => {
      runs++;
      return numbers();
    });
    expect(runs).toBe(0);
    expect(isJob(declared)).toBe(true);
    declared.graph();
    expect(runs).toBe(1);
  });

  it('shows its graph: nodes with their inputs before them, names and keys', () => {
    const declared = job('totals', () => {
      const input = numbers();
      return [
        input.pipe(
          keyBy(n => n % 2),
          count('by parity'),
          to(memorySink()),
        ),
        input,
      ];
    });
    const graph = declared.graph();
    expect(graph.map(({ kind, name, isKeyed }) => [kind, name, isKeyed])).toEqual([
      ['source', 'memory', false],
      ['key', undefined, true],
      ['actor', 'by parity', true],
      ['sink', 'memory', true],
    ]);
    expect(graph.map(({ inputs }) => inputs.map(input => graph.indexOf(input)))).toEqual([[], [0], [1], [2]]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no name', () => job('', numbers), /job\(\) takes the name of the job first/],
    ['a blank name', () => job(' \n', numbers), /job\(\) takes the name of the job first/],
    ['a name that is no text', () => job(numbers as never, numbers), /job\(\) takes the name of the job first/],
    [
      'no function',
      () => job('totals', undefined as never),
      /job\("totals", …\) takes a function second, .* not nothing\.$/,
    ],
    [
      'a stream in the place of the function',
      () => job('totals', numbers() as never),
      /takes a function second, .* not a plain Observable\.$|not an object that is none\.$/,
    ],
    [
      'a schema that is none',
      () => job('totals', numbers, { schema: { limit: Number } as never }),
      /schema of the job "totals" is an object that is none: give it a Standard Schema, such as z\.object/,
    ],
  ])('refuses at once: %s', (_, declare, message) => {
    const error = refused(declare);
    expect(error).toMatchObject({ code: 'JOB_DEFINITION', fault: 'user', retriable: false });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it.each<[string, Job, RegExp]>([
    [
      'nothing',
      returning(undefined),
      /"totals" returned nothing: it must return the stream.* Begin with from\(source\)/,
    ],
    ['null', returning(null), /returned nothing/],
    ['an empty list', returning([]), /returned no stream/],
    ['a list with a gap', returning([numbers(), undefined]), /returned nothing/],
    ['a number', returning(7), /returned a number/],
    ['an object', returning({ totals: numbers() }), /returned an object that is none/],
    ['a function', returning(numbers), /returned a function/],
    ['a plain Observable', returning(merge(of(1))), /returned a plain Observable.*use union\(\) or connect\(\)/],
    ['a promise', returning(Promise.resolve(numbers())), /returned a promise.*no async function/],
  ])('refuses a function that returns %s', (_, declared, message) => {
    const error = refused(() => declared.graph());
    expect(error).toMatchObject({ code: 'JOB_DEFINITION', fault: 'user', retriable: false });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('says that the function threw, and keeps what it threw', () => {
    const cause = new TypeError('cannot read properties of undefined');
    const failing = job('totals', () => {
      throw cause;
    });
    expect(refused(() => failing.graph())).toMatchObject({
      code: 'JOB_DEFINITION',
      message: 'The function of the job "totals" threw: cannot read properties of undefined',
      cause,
    });
  });

  it('passes on the errors of its operators and connectors as they are', () => {
    const unnamed = job('totals', () => numbers().pipe(count('')));
    expect(refused(() => unnamed.graph()).message).toMatch(/^A stateful operator takes its name first/);
  });

  it('is built as another job again after one whose function threw', () => {
    const failing = job('failing', () => {
      throw new Error('no');
    });
    refused(() => failing.graph());
    const values: number[] = [];
    numbers()
      .pipe(count('detached'))
      .subscribe(n => values.push(n));
    expect(values).toEqual([1, 2]);
  });

  it('names everything that is wrong with its graph at once', async () => {
    const twice = job('totals', () => {
      const input = union(numbers(), numbers());
      return [input.pipe(count('count'), to(memorySink())), input.pipe(count('count'), to(memorySink()))];
    });
    const error = refused(() => check(twice));
    expect(error.message.split('\n')).toEqual([
      'The job "totals" cannot run:',
      '  - Two sources are named "memory": give each its own with the option "name".',
      '  - Two actors are named "count": its name ties its state to it, so give each its own.',
      '  - Two sinks are named "memory": give each its own with the option "name".',
    ]);
  });
});

describe('the parameters of a job', () => {
  const limited = job(
    'limited',
    ({ limit, path }: { limit: number; path: string }) => numbers().pipe(count(`${path}${limit}`)),
    {
      schema: z.object({ limit: z.coerce.number().int().max(10), path: z.string() }),
      params: { path: 'in.csv' },
    },
  );
  const namesOf = (declared: Job, params?: Record<string, unknown>) =>
    declared.graph(params).flatMap(({ kind, name }) => (kind === 'actor' ? [name] : []));

  it('are what the schema makes of them', () => {
    expect(namesOf(limited, { limit: '3', path: 'a' })).toEqual(['a3']);
  });

  it('are named with every problem at once', () => {
    const error = refused(() => limited.graph({ limit: 'many' }));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toHaveLength(2);
    expect(error.message).toMatch(
      /^The parameters of the job "limited" cannot be used:\n {2}- limit: .*\n {2}- path: /,
    );
  });

  it('are those of the settings where none are given', () => {
    const declared = job('limited', ({ path }) => numbers().pipe(count(path as string)), {
      params: { path: 'in.csv' },
    });
    expect(namesOf(declared)).toEqual(['in.csv']);
  });

  it('cannot wait for a schema that answers later', () => {
    const late = job('late', numbers, { schema: z.object({}).refine(async () => true) });
    expect(refused(() => late.graph({})).message).toMatch(/schema of the job "late" is asynchronous/);
  });
});
