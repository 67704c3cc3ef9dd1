import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { AnswerFile } from './harness/answer-file.ts';
import { events, generated, goldenLines, killedQueries } from './harness/nexmark.ts';
import { placeFor } from './harness/places.ts';
import { printedSeed, randomFrom } from './harness/random.ts';
import { SideBySide } from './harness/side-by-side.ts';

/** ms: many processes, on a machine that may have other things to do. */
const long = 300_000;

it('gives of nine queries of Nexmark what plain loops give, from a file to files, through ten kills of each', {
  timeout: long,
}, async () => {
  const { folder, store } = await placeFor('file');
  const input = path.join(folder, 'events.jsonl');
  writeFileSync(input, events.map(event => `${JSON.stringify(event)}\n`).join(''));
  for (const query of killedQueries) expect(goldenLines(query).length, query).toBeGreaterThan(10);
  const queries = new SideBySide({
    store,
    events: generated.count,
    answers: killedQueries.map(query => new AnswerFile(query, `nexmark-${query}`, folder, true)),
    params: { source: 'file', input, disorder: `${generated.disorderMs}ms` },
  });
  const random = randomFrom(printedSeed('kills of Nexmark on files'));
  await queries.killAtRandom(10, random);
  await queries.finish();
});
