import fc from 'fast-check';
import { NEVER, type Observable, type OperatorFunction, pipe as rxjsPipe } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { actor, DetachedActorError, from, isDataStream, type } from '../../lib/index.ts';
import { keyBy } from '../../operators/index.ts';
import { inspectedStore } from '../actor/stored-entries.ts';
import { type AnyStream, DrivenJob, type Shown } from './driven-job.ts';
import { liftedRows } from './native-operator-table.ts';
import { runPlain } from './plain-run.ts';

// biome-ignore lint/suspicious/noExplicitAny: operators are chained whatever they emit
type Any = any;
type Operator = OperatorFunction<Any, Any>;

const composite = rxjsPipe as unknown as (...operators: Operator[]) => Operator;

type Form = (stream: AnyStream, operators: readonly Operator[]) => AnyStream;

/** The ways in which operators can be applied to a stream, which must all mean the same. */
const forms: Readonly<Record<string, Form>> = {
  'stream.pipe(f, g)': (stream, operators) => (stream.pipe as (...all: Operator[]) => AnyStream)(...operators),
  'stream.pipe(f).pipe(g)': (stream, operators) => operators.reduce((piped, f) => piped.pipe(f), stream),
  'g(f(stream))': (stream, operators) => operators.reduce((applied, f) => f(applied) as AnyStream, stream),
  'stream.pipe(pipe(f, g))': (stream, operators) => stream.pipe(composite(...operators)),
  'pipe(f, g)(stream)': (stream, operators) => composite(...operators)(stream) as AnyStream,
  'pipe(pipe(f), g)(stream)': (stream, operators) =>
    composite(composite(...operators.slice(0, 1)), ...operators.slice(1))(stream) as AnyStream,
};

interface Scenario {
  readonly rows: readonly number[];
  /** Where an actor stands in the chain, if at all. */
  readonly actorAt: number | undefined;
  readonly values: readonly number[];
  /** Whether a barrier follows the value. */
  readonly barriers: readonly boolean[];
  /** At which call the functions of the operators throw, all counted together. */
  readonly throwsAt?: number | undefined;
}

/** All that can be seen of a run: elements in order, the actors' snapshots of each checkpoint, and how it ended. */
interface Outcome {
  readonly elements: readonly Shown[];
  readonly snapshots: readonly unknown[];
  readonly phase: string;
  readonly error: string | undefined;
}

/** An actor that keeps every value of a key with its time. */
const log = actor<unknown, readonly unknown[], unknown, string>('log', {
  emits: type<unknown>(),
  update: 'return',
  initial: () => [],
  receive(values, value, ctx) {
    ctx.emit(value);
    return [...values, [textOf(value), ctx.timestamp]];
  },
}) as Operator;

const counting = () =>
  actor<unknown, number, unknown>('counting', {
    emits: type<unknown>(),
    update: 'return',
    initial: () => 0,
    receive(n, value, ctx) {
      ctx.emit(value);
      return n + 1;
    },
  }) as Operator;

/** What `materialize` emits of an error holds its stack, and where it was thrown is not what counts. */
const withoutStack = (_: string, value: unknown): unknown => (value instanceof Error ? String(value) : value);

/** Some of what operators emit is no state that can be stored. */
const textOf = (value: unknown): string => JSON.stringify(value, withoutStack) ?? 'undefined';
const keyOf = (value: unknown): string => `k${textOf(value).length % 3}`;
const operatorOf = (row: number, touch = (value: number) => value): Operator =>
  (liftedRows[row] as (typeof liftedRows)[number]).make(touch);

function operatorsOf({ rows, throwsAt }: Scenario): readonly Operator[] {
  let calls = 0;
  const touch = (value: number): number => {
    if (calls++ === throwsAt) throw new Error('boom');
    return value;
  };
  return rows.map(row => operatorOf(row, touch));
}

function chainOf(scenario: Scenario): readonly Operator[] {
  const operators = operatorsOf(scenario);
  const { actorAt } = scenario;
  return actorAt === undefined ? operators : operators.toSpliced(actorAt, 0, counting());
}

function run(scenario: Scenario, form: Form): Outcome {
  const { store, stored } = inspectedStore(undefined, 'driven');
  const job = new DrivenJob(
    ({ input }) => ({ output: form(input, chainOf(scenario)).pipe(keyBy(keyOf)).pipe(log), other: input }),
    { store },
  );
  const snapshots: unknown[] = [];
  for (const [i, value] of scenario.values.entries()) {
    job.push(value, i);
    if (!scenario.barriers[i]) continue;
    job.checkpoint();
    snapshots.push({ log: stored('log').values, counting: stored('counting').values });
  }
  job.complete();
  snapshots.push({ log: stored('log').values, counting: stored('counting').values });
  return { elements: job.elements().map(comparable), snapshots, phase: job.phase, error: job.error?.message };
}

/**
 * What the elements and snapshots must be, by the operators on a plain Observable; `undefined` where they fail there, or emit
 * when they are subscribed, which a job refuses.
 */
function expected(scenario: Scenario): Pick<Outcome, 'elements' | 'snapshots'> | undefined {
  const { values, barriers, actorAt, throwsAt } = scenario;
  // An actor between the throw and a catchError keeps it from being handled.
  if (actorAt !== undefined && throwsAt !== undefined) return undefined;
  const plain = runPlain(composite(...operatorsOf(scenario)), values);
  // What stands before an actor is a group by itself: it is refused by itself, and may fail when what is behind has ended.
  const beforeActor = runPlain(composite(...operatorsOf(scenario).slice(0, actorAt)), values);
  for (const { failedAt, failedAtEnd, atStart } of [plain, beforeActor]) {
    if (failedAt !== undefined || failedAtEnd || atStart.length > 0) return undefined;
  }
  const elements: Shown[] = plain.endedAt === -1 ? ['complete'] : [];
  const state = new Map<string, unknown[]>();
  const snapshots: unknown[] = [];
  let id = 0;
  const emit = (value: unknown, timestamp: number): void => {
    const key = keyOf(value);
    elements.push({ value, timestamp, key });
    state.set(key, [...(state.get(key) ?? []), [textOf(value), timestamp]]);
  };
  const barrier = (): void => {
    elements.push(`B${++id}`);
    snapshots.push([...state]);
  };
  for (const i of values.keys()) {
    for (const output of plain.steps[i] ?? []) emit(output, i);
    if (plain.endedAt === i) elements.push('complete');
    if (barriers[i]) barrier();
  }
  for (const output of plain.atEnd) emit(output, Number.POSITIVE_INFINITY);
  if (plain.endedAt === undefined) elements.push('complete');
  barrier();
  return { elements, snapshots };
}

function comparable(element: Shown): Shown {
  return typeof element === 'object' ? { ...element, value: withoutStacks(element.value) } : element;
}

function withoutStacks(value: unknown): unknown {
  if (value instanceof Error) return String(value);
  if (Array.isArray(value)) return value.map(withoutStacks);
  if (typeof value !== 'object' || value === null || !('kind' in value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, withoutStacks(part)]));
}

const byKey = (entries: readonly (readonly [unknown, unknown])[]) => new Map(entries);

function verify(scenario: Scenario, formNames = Object.keys(forms)): void {
  const outcomes = formNames.map(name => [name, run(scenario, forms[name] as Form)] as const);
  const [, first] = outcomes[0] as (typeof outcomes)[number];
  for (const [name, outcome] of outcomes.slice(1)) expect({ [name]: outcome }).toEqual({ [name]: first });
  const wanted = expected(scenario);
  if (!wanted) return;
  expect(first.phase).toBe('finished');
  expect(first.elements).toEqual(wanted.elements.map(comparable));
  const logs = first.snapshots.map(snapshot => byKey((snapshot as { log: [unknown, unknown][] }).log));
  expect(logs).toEqual(wanted.snapshots.map(entries => byKey(entries as [unknown, unknown][])));
}

/** Operators that RxJS makes without `lift`: they answer a plain Observable, which only `stream.pipe` can take in. */
const isBare = (row: number): boolean => !isDataStream(operatorOf(row)(from(NEVER)));
const allRows = liftedRows.map((_, row) => row);
const liftable = allRows.filter(row => !isBare(row));
const title = (row: number) => `${liftedRows[row]?.name} (${liftedRows[row]?.class})`;

const values = [1, 2, 3, 4, 5, 6, 7];
const barriers = [true, false, true, true, false, false, true];

describe('s.pipe(f), f(s) and composites made with rxjs.pipe', () => {
  for (const row of liftable) {
    it(`emit the same and leave the same snapshots: ${title(row)}`, () => {
      verify({ rows: [row], actorAt: undefined, values, barriers });
      verify({ rows: [row, row], actorAt: 1, values, barriers });
    });
  }

  it('do so for every chain of operators, wherever an actor stands in it and the barriers fall', () => {
    const scenarios = fc
      .record({
        rows: fc.array(fc.constantFrom(...liftable), { minLength: 1, maxLength: 4 }),
        actorAt: fc.option(fc.nat(4), { nil: undefined }),
        throwsAt: fc.option(fc.nat(12), { nil: undefined }),
        records: fc.array(fc.tuple(fc.integer({ min: -3, max: 9 }), fc.boolean()), { maxLength: 8 }),
      })
      .map(
        ({ records, ...chain }): Scenario => ({
          ...chain,
          values: records.map(([value]) => value),
          barriers: records.map(([, isFollowed]) => isFollowed),
        }),
      );
    fc.assert(
      fc.property(scenarios, scenario => verify(scenario)),
      { numRuns: 150 },
    );
  });

  it('leave a stream as it is when there is no operator', () => {
    const seen: unknown[] = [];
    const job = new DrivenJob(({ input }) => {
      seen.push(input.pipe() === input);
      return {
        output: input.pipe(),
        composed: input.pipe(composite()),
        applied: composite()(input as Observable<Any>) as AnyStream,
      };
    });
    job.push(1);
    job.complete();
    expect(seen).toEqual([true]);
    for (const name of ['output', 'composed', 'applied']) {
      expect(job.elements(name)).toEqual([{ value: 1, timestamp: Number.NaN, key: undefined }, 'complete', 'B1']);
    }
  });
});

describe('an operator that answers a plain Observable', () => {
  it('is one of RxJS that does not use lift', () => {
    expect(allRows.filter(isBare).map(title)).toEqual([
      'take (0) (ends early)',
      'endWith (emits at completion)',
      'onErrorResumeNextWith (of) (emits at completion)',
    ]);
  });

  for (const row of allRows.filter(isBare)) {
    it(`means the same in every form of stream.pipe: ${title(row)}`, () => {
      verify({ rows: [row], actorAt: undefined, values, barriers }, [
        'stream.pipe(f, g)',
        'stream.pipe(f).pipe(g)',
        'stream.pipe(pipe(f, g))',
      ]);
      verify({ rows: [row, row], actorAt: 1, values, barriers }, ['stream.pipe(f, g)', 'stream.pipe(f).pipe(g)']);
    });

    it(`is refused where it is applied by itself and anything follows: ${title(row)}`, () => {
      const scenario: Scenario = { rows: [row], actorAt: undefined, values, barriers };
      expect(() => run(scenario, forms['g(f(stream))'] as Form)).toThrow(DetachedActorError);
      const alone = () => new DrivenJob(({ input }) => ({ output: operatorOf(row)(input) as AnyStream }));
      expect(alone).toThrow();
    });
  }
});
