import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ESLint } from 'eslint';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const sample = path.join(root, 'samples/card-totals/job.ts');

test('npm run lint finds a native operator with state that is planted in a sample', { timeout: 60_000 }, async () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const config = /eslint --config (\S+) samples/.exec(scripts.lint)?.[1] ?? 'no configuration in package.json';
  const eslint = new ESLint({ cwd: root, overrideConfigFile: path.join(root, config) });
  const text = readFileSync(sample, 'utf8');
  const planted = text.replace("import { filter } from 'rxjs';", "import { filter, take } from 'rxjs';");
  const found = async (code: string) => {
    const [result] = await eslint.lintText(code, { filePath: sample });
    return result?.messages.map(({ ruleId }) => ruleId);
  };
  expect(await found(text)).toEqual([]);
  expect(await found(planted.replace('keyBy(payment => payment.card),', '$& take(3),'))).toEqual([
    'tidemark/no-shared-state-after-key',
  ]);
});
