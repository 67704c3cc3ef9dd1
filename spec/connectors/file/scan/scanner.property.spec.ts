import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CsvScanner } from '../../../../connectors/file/scan/csv-scanner.ts';
import { JsonArrayScanner } from '../../../../connectors/file/scan/json-array-scanner.ts';
import { LineScanner } from '../../../../connectors/file/scan/line-scanner.ts';
import { ScanFault, type Scanner, Spans } from '../../../../connectors/file/scan/scanner.ts';

const scanners: Record<string, () => Scanner> = {
  lines: () => new LineScanner(),
  rows: () => new CsvScanner({ delimiter: 0x2c, quote: 0x22 }),
  'elements of an array': () => new JsonArrayScanner(false),
};

/** Bytes in which everything that a scanner looks at is frequent, valid or not. */
const soup = fc.string({
  unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', '\n', '\r', ' ', 'a', '1'),
  maxLength: 60,
});
const arrays = fc.json({ maxDepth: 3 }).map(text => `[${text},${text}]`);

for (const [what, scanner] of Object.entries(scanners)) {
  test(`${what} are the same wherever the pieces end that they come in`, () => {
    fc.assert(
      fc.property(
        fc.oneof(soup, arrays),
        fc.array(fc.nat({ max: 60 })),
        fc.integer({ min: 1, max: 4 }),
        (text, cuts, limit) => {
          const whole = Buffer.from(text);
          expect(scan(scanner(), whole, cuts, limit)).toEqual(scan(scanner(), whole, [], Number.POSITIVE_INFINITY));
        },
      ),
      { numRuns: 500 },
    );
  });
}

test('elements of an array are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, 3), (values, indent) => {
      const found = scan(new JsonArrayScanner(false), Buffer.from(JSON.stringify(values, null, indent)), [], 7);
      expect(found.records.map(text => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(values)));
      expect(found.fault).toBeUndefined();
    }),
  );
});

/** Scans `whole` as it grows up to each cut; texts and line ends of all records, and the fault that ended it. */
function scan(scanner: Scanner, whole: Buffer, cuts: readonly number[], limit: number) {
  const records: string[] = [];
  const nexts: number[] = [];
  const spans = new Spans();
  let from = 0;
  const take = (): boolean => {
    for (let index = 0; index < spans.count; index++) {
      records.push(whole.toString('utf8', spans.beginOf(index), spans.endOf(index)));
      nexts.push(spans.next[index] ?? -1);
    }
    from = spans.behind(from);
    const hasFound = spans.count > 0;
    spans.clear();
    return hasFound;
  };
  try {
    for (const cut of [...cuts.filter(at => at < whole.length).sort((a, b) => a - b), whole.length]) {
      do scanner.scan(whole.subarray(0, cut), from, spans, limit);
      while (take());
    }
    do scanner.end(whole, from, spans);
    while (take());
    return { records, nexts, fault: undefined };
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    return { records, nexts, fault: `${error.message} at ${error.at}` };
  }
}
