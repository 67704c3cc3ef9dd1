import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvFormat } from '../../../connectors/file/format/csv.ts';
import type { Format } from '../../../connectors/file/format/format.ts';
import { jsonArrayFormat } from '../../../connectors/file/format/json-array.ts';
import { jsonLinesFormat } from '../../../connectors/file/format/json-lines.ts';
import { textFormat } from '../../../connectors/file/format/text.ts';
import { sourceSettings } from '../../../connectors/file/options.ts';
import { fileSource } from '../../../connectors/file/source.ts';
import type { Json } from '../../../lib/index.ts';
import { SourceProbe } from '../../contract/source-probe.ts';
import { Folder } from './folder.ts';

/** What a file holds and what is to come of it. */
interface Content {
  readonly bytes: Buffer;
  readonly values: readonly unknown[];
}

const lineEnd = fc.constantFrom('\n', '\r\n');
const mark = fc.constantFrom('', '\ufeff');
const space = fc.constantFrom('', ' ', '\n', '\r\n\t', '  ');
// Characters of one to four bytes, and those that the formats give a meaning to.
const words = fc.string({ unit: fc.constantFrom('a', '"', '\\', ',', '[', ']', '{', '}', ' ', 'é', '€', '𝄞', ';') });
const json = fc.oneof(
  fc.record({ id: fc.integer(), text: words, list: fc.array(fc.oneof(words, fc.integer(), fc.constant(null))) }),
  fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(words)),
);

const jsonLinesContent = fc
  .tuple(fc.array(fc.tuple(json, fc.nat({ max: 1 }), lineEnd)), mark, fc.boolean())
  .map(([records, bom, isLastEnded]): Content => {
    const lines = records.map(([value, blanks, end]) => `${end.repeat(blanks)}${JSON.stringify(value)}${end}`);
    const all = bom + lines.join('');
    return content(
      isLastEnded ? all : all.replace(/\r?\n$/, ''),
      records.map(([value]) => value),
    );
  });

const jsonArrayContent = fc
  .tuple(fc.array(fc.tuple(json, space, space)), mark, space, fc.boolean())
  .map(([records, bom, outer, isPretty]): Content => {
    const values = records.map(([value]) => value);
    const elements = records.map(
      ([value, before, after]) => before + JSON.stringify(value, null, isPretty ? 2 : 0) + after,
    );
    return content(`${bom}${outer}[${elements.join(',') || outer}]${outer}`, values);
  });

const textContent = fc
  .tuple(fc.array(fc.tuple(words, lineEnd)), mark, fc.boolean())
  .map(([records, bom, isLastEnded]) => {
    const all = records.map(([line, end]) => line + end).join('');
    const hasOpenEnd = !isLastEnded && records.at(-1)?.[0] !== '';
    return content(
      bom + (hasOpenEnd ? all.replace(/\r?\n$/, '') : all),
      records.map(([line]) => line),
    );
  });

const field = fc.oneof(words, fc.constantFrom('a\nb', '\r\n', '"', '""', ',"\n"', ''));
const quoted = (text: string, isAlways: boolean): string =>
  isAlways || /["\n\r,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const csvContent = fc
  .tuple(
    fc.array(fc.tuple(field, field, field, fc.nat({ max: 1 }), fc.boolean())),
    lineEnd,
    mark,
    fc.boolean(),
    fc.boolean(),
  )
  .map(([records, end, bom, hasBlankHead, isLastEnded]): Content => {
    const rows = records.map(
      ([a, b, c, blanks, isQuoted]) =>
        `${[a, b, c].map(one => quoted(one, isQuoted)).join(',')}${end.repeat(1 + blanks)}`,
    );
    const all = `${bom}${hasBlankHead ? end : ''}one,"two ",three${end}${rows.join('')}`;
    const values = records.map(([one, two, three]) => ({ one, 'two ': two, three }));
    return content(isLastEnded ? all : all.replace(/(\r?\n)+$/, ''), values);
  });

const formats: readonly { readonly format: Format; readonly content: fc.Arbitrary<Content> }[] = [
  { format: jsonLinesFormat, content: jsonLinesContent },
  { format: jsonArrayFormat, content: jsonArrayContent },
  { format: textFormat, content: textContent },
  { format: csvFormat({ delimiter: ',', quote: '"', header: true }), content: csvContent },
];

/** What happens behind a batch. */
const step = fc.constantFrom('go on', 'go on', 'pause', 'reopen', 'grow');

for (const { format, content } of formats) {
  test(`${format.name}: what is given in pieces, over every stop and start, is the whole input exactly once`, async () => {
    const plan = fc.record({
      files: fc.array(fc.tuple(content, fc.boolean()), { minLength: 1, maxLength: 3 }),
      pace: fc.record({ batchRecords: fc.integer({ min: 1, max: 5 }), readBytes: fc.integer({ min: 1, max: 64 }) }),
      steps: fc.array(step, { maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ files, pace, steps }) => {
        using folder = new Folder();
        const path = files.map(([{ bytes }, isGzip], index) =>
          folder.write(isGzip ? `${index}.gz` : `${index}`, isGzip ? gzipSync(bytes) : bytes),
        );
        const source = fileSource<unknown>(format, sourceSettings(format.name, { path }), pace);
        const expected = files.flatMap(([{ values }]) => values);
        const given: unknown[] = [];
        const left = [...steps];
        let position: Json | undefined;
        for (let isDone = false; !isDone; ) {
          const probe = await SourceProbe.open(source, position);
          let isReopening = false;
          probe.afterBatch = () => {
            const next = left.shift();
            if (next === 'pause') {
              probe.pause();
              setImmediate(() => probe.resume());
            } else if (next === 'reopen') {
              isReopening = true;
              position = probe.position();
              probe.pause();
            }
          };
          probe.start();
          await probe.until(() => isReopening || probe.completions > 0);
          isDone = !isReopening;
          await probe.close();
          given.push(...probe.values);
          expect(probe.violations).toEqual([]);
        }
        expect(JSON.stringify(given)).toBe(JSON.stringify(expected));
      }),
      { numRuns: 150 },
    );
  });
}

function content(text: string, values: readonly unknown[]): Content {
  return { bytes: Buffer.from(text), values };
}
