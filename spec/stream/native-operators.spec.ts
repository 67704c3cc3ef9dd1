import { readFileSync } from 'node:fs';
import { combineLatest, concat, forkJoin, merge, type Observable, race, zip } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  DetachedActorError,
  job as declareJob,
  from,
  JobDefinitionError,
  LiftError,
  memoryStore,
  start,
  UserCodeError,
} from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { keyBy, scan } from '../../operators/index.ts';
import { type AnyStream, DrivenJob, type Shown } from './driven-job.ts';
import {
  type LiftedRow,
  lifted,
  liftedRows,
  operatorsOf,
  type RefusedRow,
  refused,
  refusedRows,
} from './native-operator-table.ts';
import { runPlain } from './plain-run.ts';

const values = [1, 2, 3, 4, 5, 6];
const keyOf = (value: number) => (value % 2 === 0 ? 'even' : 'odd');
const shownAt = (value: number) => (output: unknown) => ({ value: output, timestamp: value * 10, key: keyOf(value) });
const shownAtEnd = (output: unknown) => ({ value: output, timestamp: Number.POSITIVE_INFINITY, key: undefined });

for (const name of lifted) {
  describe(`native operators: ${name}`, () => {
    for (const row of liftedRows.filter(row => row.class === name)) describe(row.name, () => describeLifted(row));
  });
}

for (const name of refused) {
  describe(`native operators: ${name}`, () => {
    for (const row of refusedRows.filter(row => row.class === name)) describe(row.name, () => describeRefused(row));
  });
}

describe('the table of native operators', () => {
  it('has at least sixty operators, each name once', () => {
    expect(operatorsOf([...liftedRows, ...refusedRows]).length).toBeGreaterThanOrEqual(60);
    for (const rows of [liftedRows, refusedRows]) {
      const names = rows.map(row => `${row.class}: ${row.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('is the one that users read', () => {
    const page = readFileSync(new URL('../../docs/native-operators.md', import.meta.url), 'utf8');
    for (const name of [...lifted, ...refused]) {
      const section = page.split('\n## ').find(text => text.toLowerCase().startsWith(name)) ?? '';
      const documented = [...section.matchAll(/^\| `([^`]+)`/gm)].map(match => match[1]);
      const rows = [...liftedRows, ...refusedRows].filter(row => row.class === name);
      expect({ [name]: documented.sort() }).toEqual({ [name]: rows.map(row => row.name).sort() });
    }
  });
});

function describeLifted(row: LiftedRow): void {
  const make = () => row.make(value => value);

  it('emits the values of a plain Observable with the time and key of their record, each barrier behind its record', () => {
    const plain = runPlain(make(), values);
    let handled = 0;
    let isAsked = false;
    let expected: Shown[] = plain.endedAt === -1 ? ['complete'] : [];
    const job: DrivenJob = new DrivenJob(
      ({ input }) => ({
        output: input.pipe(
          keyBy((v: number) => keyOf(v)),
          make(),
        ),
        // Keeps the job running when the operator ends early.
        other: input,
      }),
      {
        // Asked for while the third record is being handled.
        onElement: (stream, element) => {
          if (stream !== 'output' || handled !== 2 || typeof element !== 'object' || !('value' in element)) return;
          if (!isAsked) job.checkpoint();
          isAsked = true;
        },
      },
    );
    let barriers = 0;
    const barrier = () => expected.push(`B${++barriers}`);
    job.checkpoint();
    barrier();
    for (const [i, value] of values.entries()) {
      handled = i;
      job.push(value, value * 10);
      const outputs = plain.steps[i] ?? [];
      expected = [...expected, ...outputs.map(shownAt(value))];
      if (plain.endedAt === i) expected.push('complete');
      if (i === 2 && outputs.length > 0) barrier();
      if (i % 2 === 1) {
        job.checkpoint();
        barrier();
      }
    }
    job.complete();
    if (plain.endedAt === undefined) expected = [...expected, ...plain.atEnd.map(shownAtEnd), 'complete'];
    barrier();
    expect(job.elements()).toEqual(expected);
    expect(job.phase).toBe('finished');
  });

  it('completes what follows, and with it the job', () => {
    const plain = runPlain(make(), values);
    const job = new DrivenJob(({ input }) => ({ output: input.pipe(make()) }));
    for (const [i, value] of values.entries()) {
      expect(job.phase).toBe(plain.endedAt !== undefined && plain.endedAt < i ? 'finished' : 'running');
      job.push(value);
    }
    job.complete();
    expect(job.phase).toBe('finished');
    expect(job.committed.output).toEqual(job.values());
    const restarted = job.elements().length;
    job.crash();
    expect(job.phase).toBe('finished');
    expect(job.elements().length).toBe(restarted);
  });

  if (row.class === 'ends early') {
    it('stays ended after a crash, and barriers still pass', () => {
      const plain = runPlain(make(), values);
      const job = new DrivenJob(({ input }) => ({ output: input.pipe(make()), other: input }));
      for (const value of values.slice(0, 5)) job.push(value);
      job.checkpoint();
      job.crash();
      job.checkpoint();
      job.push(6);
      job.checkpoint();
      job.complete();
      // Sequences that are told apart at the end are no early end.
      expect(job.values()).toEqual([...plain.steps.slice(0, 5).flat()]);
      expect(job.elements().slice(-4)).toEqual(['complete', 'B2', 'B3', 'B4']);
      expect(job.phase).toBe('finished');
    });
  }

  if (row.takesFunction) {
    it('fails the task with what its function throws, and nothing comes out of any branch after it', () => {
      const boom = new Error('boom');
      let calls = 0;
      const throwing = () => {
        calls = 0;
        return row.make(value => {
          calls++;
          if (calls === 2) throw boom;
          return value;
        });
      };
      const plain = runPlain(throwing(), values);
      expect(plain.failedAt).toBeDefined();
      const job = new DrivenJob(({ input }) => ({ before: input, output: input.pipe(throwing()), after: input }));
      for (const value of values) {
        job.push(value, value * 10);
        job.checkpoint();
      }
      const failedAt = plain.failedAt as number;
      expect(job.error).toBeInstanceOf(UserCodeError);
      expect(job.error?.cause).toBe(boom);
      expect(job.error?.message).toMatch(/native operators? after source "input" of job "driven" threw: boom$/);
      expect(job.values('before')).toEqual(values.slice(0, failedAt + 1));
      expect(job.values('output')).toEqual(plain.steps.flat());
      expect(job.values('after')).toEqual(values.slice(0, failedAt));
      expect(job.committed.before).toEqual(values.slice(0, failedAt));
      expect(job.committed.output).toEqual(plain.steps.slice(0, failedAt).flat());
    });
  }

  it(`${row.handlesErrors ? 'handles' : 'passes on'} an error notification of its input`, () => {
    const boom = new Error('boom');
    const plain = runPlain(make(), values, { error: boom });
    const job = new DrivenJob(({ input }) => ({ output: input.pipe(make()) }));
    for (const value of values) job.push(value);
    job.fail(boom);
    expect(job.values()).toEqual([...plain.steps.flat(), ...plain.atEnd]);
    if (row.handlesErrors || plain.endedAt !== undefined) {
      expect(job.phase).toBe('finished');
      return;
    }
    expect(job.error).toBeInstanceOf(UserCodeError);
    expect(job.error?.message).toBe('The source "input" failed: boom');
    expect(job.error?.cause).toBe(boom);
  });
}

function describeRefused(row: RefusedRow): void {
  const moment = {
    wiring: 'before anything is opened',
    record: 'at its first record',
    completion: 'when its input ends',
    error: 'when its input fails',
    later: 'when it emits',
  }[row.when];
  it(`is a LiftError ${moment}, and nothing of it is committed`, async () => {
    const job = new DrivenJob(
      ({ input, another }) => ({ output: input.pipe(row.make(another as Observable<number>)), other: input }),
      { inputs: ['input', 'another'], settings: { restart: { strategy: 'fixed-delay', delay: 1, attempts: 9 } } },
    );
    const records = job.values('other').length;
    expect(records).toBe(0);
    expect(job.phase).toBe(row.when === 'wiring' ? 'failed' : 'running');
    if (row.when !== 'wiring') job.push(1);
    const isRefusedLater = row.when === 'completion' || row.when === 'error' || row.when === 'later';
    if (isRefusedLater) {
      expect(job.phase).toBe('running');
      if (row.when === 'completion') job.complete();
      else if (row.when === 'error') job.fail(new Error('boom'));
      else await job.handle.done.catch(() => {});
    }
    expect(job.error).toBeInstanceOf(LiftError);
    expect(job.builds).toBe(1);
    const passesFirst = row.emitsFirst || row.when === 'completion' || row.when === 'error';
    expect(job.values()).toEqual(passesFirst ? [1] : []);
    expect(job.committed.output ?? []).toEqual([]);
    if (row.class === 'combines streams') expect(job.error?.message).toMatch(/union\(\) or connect\(\)/);
    if (row.class === 'emits at subscription') expect(job.error?.message).toContain('repeated at every restart');
    if (row.class === 'subscribes again') expect(job.error?.message).toMatch(/subscribes its source/);
    if (row.class === 'asynchronous') {
      expect(job.error?.message).toMatch(
        row.when === 'later' ? /while none of its records was being handled/ : /uses an RxJS scheduler/,
      );
    }
  });
}

describe('an Observable that RxJS makes of several streams', () => {
  const makers = { merge, concat, race, combineLatest, zip, forkJoin };
  for (const [name, make] of Object.entries(makers)) {
    it(`is no end of a job, and no input of an actor: ${name}`, () => {
      const join = make as (...inputs: unknown[]) => AnyStream;
      const sources = () => [from(new MarbleSource('a')), from(new MarbleSource('b'))];
      const returned = declareJob('joined', () => join(...sources()));
      expect(() => start(returned, { store: memoryStore() })).toThrow(JobDefinitionError);
      expect(() => start(returned, { store: memoryStore() })).toThrow(/plain Observable.*union\(\) or connect\(\)/);
      const read = declareJob('joined', () => join(...sources()).pipe(scan('count', (n: number) => n + 1, 0)));
      expect(() => start(read, { store: memoryStore() })).toThrow(DetachedActorError);
    });
  }
});
