import { JobDefinitionError } from '../../lib/index.ts';

/** Refuses an argument of an operator that counts records unless it is a whole number from `least`. */
export function wholeNumber(operator: string, argument: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new JobDefinitionError(
    `${operator}: its ${argument} is ${String(value)}: give it a whole number from ${least}.`,
  );
}
