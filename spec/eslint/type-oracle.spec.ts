import path from 'node:path';
import { Linter } from 'eslint';
import { expect, it } from 'vitest';
import tidemark from '../../eslint/index.ts';
import { parser } from '../../tools/lint/parser.ts';

// Streams that only their types show: they come from another file, or as a member of an object.
const folder = path.join(import.meta.dirname, '../fixtures/typed-lint');
const code = `import type { Observable } from 'rxjs';
import { scan, take } from 'rxjs';
import { foreign, inputs, plain } from './streams.ts';
export const first = inputs.rides.pipe(take(1));
export const totals = inputs.byDriver.pipe(scan((n: number) => n + 1, 0));
export const counted = plain.pipe(scan((n: number) => n + 1, 0));
export const given = [inputs.rides].map(ride => ride.pipe(scan((n: number) => n + 1, 0)));
export const theirs = foreign.pipe(take(1));
export type Out = Observable<number>;
`;

function found(parserOptions: Linter.ParserOptions) {
  const linter = new Linter({ cwd: folder });
  const config = { ...tidemark.configs.recommended, files: ['**/*.ts'], languageOptions: { parser, parserOptions } };
  const messages = linter.verify(code, [config], { filename: path.join(folder, 'job.ts') });
  return messages.map(({ ruleId, line }) => `${line} ${ruleId}`);
}

it('recognises streams by their types, with their keys, where the parser has type information', {
  timeout: 60_000,
}, () => {
  // In CI the parser would take each file from the disk once, and not the text that it is given.
  const disallowAutomaticSingleRunInference = true;
  expect(found({ project: './tsconfig.json', tsconfigRootDir: folder, disallowAutomaticSingleRunInference })).toEqual([
    '4 tidemark/no-native-state',
    '5 tidemark/no-shared-state-after-key',
    '7 tidemark/no-native-state',
  ]);
});

it('knows nothing of them without', () => {
  expect(found({})).toEqual([]);
});
