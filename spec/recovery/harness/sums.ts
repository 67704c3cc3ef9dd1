import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** The lines of the output of jobs/numbers.ts. */
export function sumsIn(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

/** The sums of the numbers from 1 on, as many as there are: none lost, none twice. */
export function expectSums(found: readonly string[]): void {
  const wanted: string[] = [];
  for (let i = 1, sum = 1; i <= found.length; sum += ++i) wanted.push(`${sum}`);
  expect(found).toEqual(wanted);
}
