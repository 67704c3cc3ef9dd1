import { type OperatorFunction, Subject } from 'rxjs';

/** What an operator does on a plain Observable, step by step: the reference for what it does in a job. */
export interface PlainRun {
  /** What came out when it was subscribed. */
  readonly atStart: readonly unknown[];
  /** What came out at each input value. */
  readonly steps: readonly (readonly unknown[])[];
  /** What came out when the input ended, or failed. */
  readonly atEnd: readonly unknown[];
  /** The input at which it ended by itself, from 0; -1 at subscription; `undefined`: not before its input. */
  readonly endedAt: number | undefined;
  /** The input at which it failed. */
  readonly failedAt: number | undefined;
  /** Whether it failed when the input ended. */
  readonly failedAtEnd: boolean;
}

/** Runs the operator on a plain Observable of these values, which ends as `ending` says. */
export function runPlain(
  operator: OperatorFunction<number, unknown>,
  values: readonly number[],
  ending: 'completes' | { readonly error: unknown } = 'completes',
): PlainRun {
  const input = new Subject<number>();
  const steps: unknown[][] = [];
  const atStart: unknown[] = [];
  let current = atStart;
  let at = -1;
  let endedAt: number | undefined;
  let failedAt: number | undefined;
  input.pipe(operator).subscribe({
    next: value => current.push(value),
    error: () => {
      failedAt = at;
    },
    complete: () => {
      endedAt = at;
    },
  });
  for (const [i, value] of values.entries()) {
    at = i;
    current = [];
    steps.push(current);
    input.next(value);
  }
  at = values.length;
  current = [];
  if (ending === 'completes') input.complete();
  else input.error(ending.error);
  return {
    atStart,
    steps,
    atEnd: current,
    endedAt: endedAt === values.length ? undefined : endedAt,
    failedAt: failedAt === values.length ? undefined : failedAt,
    failedAtEnd: failedAt === values.length,
  };
}
