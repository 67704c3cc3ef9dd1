import * as rxjs from 'rxjs';
import * as rxjsOperators from 'rxjs/operators';
import { expect, it } from 'vitest';
import { joiningFunctions, likeOf, nativeOperators } from '../../eslint/native-operators.ts';
import { namesakes } from '../../eslint/replacements.ts';
import * as operators from '../../operators/index.ts';
import { liftedRows, refusedRows } from '../stream/native-operator-table.ts';

it('is the table that the specs of the runtime run', () => {
  const run: Record<string, string[]> = {};
  for (const row of [...liftedRows, ...refusedRows]) {
    const rows = run[row.class] ?? [];
    rows.push(row.name);
    run[row.class] = rows;
  }
  expect(nativeOperators).toEqual(run);
});

it('has a row for every operator of RxJS, or for its likes', () => {
  const rows = new Set(
    Object.values(nativeOperators)
      .flat()
      .map(row => row.replace(/ \(.*/, '')),
  );
  const harmless = new Set(['mapTo', 'pluck']); // older names of `map`
  const unknown = Object.keys(rxjsOperators).filter(name => !rows.has(likeOf(name)) && !harmless.has(name));
  expect(unknown).toEqual(['combineAll', 'combineLatestAll', 'partition', 'zipAll']);
});

it('joins Observables with functions that RxJS has', () => {
  expect([...joiningFunctions].filter(name => !(name in rxjs))).toEqual([]);
});

it('names operators of ours that are there, and no longer leaves out one that has come', () => {
  expect(namesakes.filter(name => !(name in operators))).toEqual([]);
});
