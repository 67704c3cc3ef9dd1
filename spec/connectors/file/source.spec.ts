import { chmodSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { csv, FileError, jsonArray, jsonLines, text } from '../../../connectors/file/index.ts';
import { BadRecordError, JobDefinitionError, SettingsError, type Source } from '../../../lib/index.ts';
import { SourceProbe } from '../../contract/source-probe.ts';
import { Folder } from './folder.ts';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => {
  expect(openFiles(folder.path)).toEqual([]);
  folder[Symbol.dispose]();
});

/** Files under a folder that this process has open, where the system tells. */
function openFiles(under: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(under) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Reads a source to its end, or to its error. */
async function read<T>(source: Source<T>): Promise<SourceProbe<T>> {
  const probe = (await SourceProbe.open(source)).start();
  await probe.until(() => probe.completions > 0 || probe.errors.length > 0);
  await probe.close();
  expect(probe.violations).toEqual([]);
  return probe;
}

async function valuesOf<T>(source: Source<T>): Promise<readonly T[]> {
  const probe = await read(source);
  expect(probe.errors).toEqual([]);
  return probe.values;
}

async function errorOf<T>(source: Source<T>): Promise<Error> {
  const { errors } = await read(source);
  expect(errors).toHaveLength(1);
  return errors[0] as Error;
}

describe('what is read', () => {
  test('an empty file has no lines, and no rows', async () => {
    const path = folder.write('empty', '');
    expect(await valuesOf(jsonLines({ path }))).toEqual([]);
    expect(await valuesOf(text({ path }))).toEqual([]);
    expect(await valuesOf(csv({ path }))).toEqual([]);
  });

  test('a file with nothing but a byte order mark, or a header, has no records', async () => {
    const path = folder.write('mark', '\ufeff');
    expect(await valuesOf(text({ path }))).toEqual([]);
    expect(await valuesOf(csv({ path: folder.write('header', '\ufeffone,two\r\n') }))).toEqual([]);
  });

  test('an empty array has no elements', async () => {
    expect(await valuesOf(jsonArray({ path: folder.write('a.json', ' [ \n] ') }))).toEqual([]);
  });

  test('elements may be anything that JSON has', async () => {
    const values = [1, -2.5e3, 'a]"\\', true, false, null, [], {}, [[1], { a: '}' }], ''];
    expect(await valuesOf(jsonArray({ path: folder.write('a.json', JSON.stringify(values)) }))).toEqual(values);
  });

  test('text lines keep their space, and lose only their line end', async () => {
    const path = folder.write('a.txt', ' one \r\n\n\rtwo\r\r\nlast');
    expect(await valuesOf(text({ path }))).toEqual([' one ', '', '\rtwo\r', 'last']);
  });

  test('CSV rows are arrays without a header, and take the names that are given', async () => {
    const path = folder.write('a.csv', '1;"a;b"\n\n2;\n');
    expect(await valuesOf(csv<string[]>({ path, header: false, delimiter: ';' }))).toEqual([
      ['1', 'a;b'],
      ['2', ''],
    ]);
    const named = csv({ path, header: ['id', 'text'], delimiter: ';' });
    expect(await valuesOf(named)).toEqual([
      { id: '1', text: 'a;b' },
      { id: '2', text: '' },
    ]);
  });

  test('each CSV file has its own header', async () => {
    const path = [folder.write('a.csv', 'a,b\n1,2\n'), folder.write('b.csv', 'b,a\n3,4')];
    expect(await valuesOf(csv({ path }))).toEqual([
      { a: '1', b: '2' },
      { b: '3', a: '4' },
    ]);
  });

  test('compressed files are known by their name, or said to be so', async () => {
    const bytes = Buffer.concat([gzipSync('1\n2\n'), gzipSync('3\n')]);
    expect(await valuesOf(jsonLines({ path: folder.write('a.gz', bytes) }))).toEqual([1, 2, 3]);
    expect(await valuesOf(jsonLines({ path: folder.write('a', bytes), gzip: true }))).toEqual([1, 2, 3]);
    expect(await valuesOf(text({ path: folder.write('plain.gz', 'a\n'), gzip: false }))).toEqual(['a']);
  });

  test('a path may be a URL', async () => {
    const path = new URL(`file://${folder.write('a.jsonl', '1')}`);
    expect(await valuesOf(jsonLines({ path }))).toEqual([1]);
  });

  test('progress goes from 0 to 1, over several files and through compressed ones', async () => {
    const lines = '12345678\n'.repeat(600);
    const path = [folder.write('a', lines), folder.write('b.gz', gzipSync(lines))];
    const probe = await SourceProbe.open(jsonLines({ path }));
    const seen: number[] = [probe.reader.progress?.() ?? -1];
    probe.afterBatch = () => seen.push(probe.reader.progress?.() ?? -1);
    probe.start();
    await probe.untilCompleted();
    expect(seen[0]).toBe(0);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(probe.reader.progress?.()).toBe(1);
    await probe.close();
  });

  test('a batch has at most 512 records', async () => {
    const probe = await read(text({ path: folder.write('a', 'x\n'.repeat(2_000)) }));
    expect(Math.max(...probe.batches)).toBe(512);
  });
});

describe('times and schemas', () => {
  test('the event time of a record is what the function says, and none when it says undefined', async () => {
    const path = folder.write('a.jsonl', '{"at":5}\n{}\n{"at":-1.5}\n');
    const probe = await read(jsonLines<{ at?: number }>({ path, timestamp: ({ at }) => at }));
    expect(probe.timestamps).toEqual([5, Number.NaN, -1.5]);
  });

  test.each([
    ['NaN', () => Number.NaN, /its timestamp is NaN, not a number of milliseconds/],
    ['a date', () => new Date(0) as unknown as number, /its timestamp is .*1970.*, not a number/],
    ['an error', () => (undefined as unknown as { at: number }).at, /cannot be read: .*undefined/],
  ])('a time that is %s makes a bad record', async (_, timestamp, message) => {
    const error = await errorOf(jsonLines({ path: folder.write('a.jsonl', '{}\n'), timestamp }));
    expect(error).toBeInstanceOf(BadRecordError);
    expect(error.message).toMatch(message);
  });

  test('a schema validates and changes records', async () => {
    const schema = z.object({ id: z.coerce.number(), city: z.string().default('?') });
    const path = folder.write('a.jsonl', '{"id":"7"}\n{"id":"8","city":"Ulm"}\n');
    const source: Source<{ id: number; city: string }> = jsonLines({ path, schema });
    expect(await valuesOf(source)).toEqual([
      { id: 7, city: '?' },
      { id: 8, city: 'Ulm' },
    ]);
    const bad = await errorOf(jsonLines({ path: folder.write('b.jsonl', '{"id":"x","city":3}\n'), schema }));
    expect(bad.message).toMatch(/Line 1 .*id: .*NaN.*; city: .*expected string/);
  });

  test('a schema that answers later is the fault of the job, which no policy for bad records hides', async () => {
    const schema = z.number().refine(async () => true);
    const error = await errorOf(jsonLines({ path: folder.write('a.jsonl', '1\n'), schema, onBadRecord: 'skip' }));
    expect(error).toBeInstanceOf(JobDefinitionError);
    expect(error.message).toMatch(/answers asynchronously: give one that answers at once/);
  });
});

describe('bad records', () => {
  test('the error names file, line and byte, and shows the beginning', async () => {
    const path = folder.write('a.jsonl', `{"id":1}\n\n{"id":${'é'.repeat(90)}}\n`);
    const error = await errorOf(jsonLines({ path }));
    expect(error).toBeInstanceOf(BadRecordError);
    expect(error.message).toContain(`Line 3 of "${path}" (byte 10) cannot be read`);
    expect(error.message).toMatch(
      /It begins: "\{\\"id\\":é+.*"…\. Mend the line, or skip such records with onBadRecord/,
    );
    expect((error as BadRecordError).context).toEqual({ path, record: 3, byte: 10 });
  });

  test('they are left out and logged when told so, and everything else is given', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? `${n}` : `bad ${n}`));
    const probe = await read(jsonLines<number>({ path: folder.write('a', lines.join('\n')), onBadRecord: 'skip' }));
    expect(probe.values).toEqual(Array.from({ length: 15 }, (_, n) => 2 * n));
    expect(probe.log.filter(({ message }) => message.startsWith('skipped a record'))).toHaveLength(10);
    expect(probe.log.at(-1)).toMatchObject({ level: 'warn', fields: { skipped: 15 } });
  });

  test('a CSV row with another number of fields, or a broken quote, is one of them', async () => {
    const path = folder.write('a.csv', 'a,b\n1,2\n1,2,3\n3,4"\n"5"x,6\n7,8\n');
    expect(await valuesOf(csv({ path, onBadRecord: 'skip' }))).toEqual([
      { a: '1', b: '2' },
      { a: '7', b: '8' },
    ]);
    expect((await errorOf(csv({ path }))).message).toMatch(
      /Row 3 of .*\(byte 8\) cannot be read: .*columns length is 2/i,
    );
  });

  test('a quote that is never closed makes the rest of the file one bad row', async () => {
    const path = folder.write('a.csv', 'a,b\n1,2\n3,"4\n5,6\n');
    expect((await errorOf(csv({ path }))).message).toMatch(/Row 3 of .*\(byte 8\) cannot be read: Quote Not Closed/);
  });

  test('bytes that are not UTF-8 are bad, and the records around them are not', async () => {
    const path = folder.write(
      'a',
      Buffer.concat([Buffer.from('a\n'), Buffer.from([0xc3, 0x28, 10]), Buffer.from('é\n')]),
    );
    expect((await errorOf(text({ path }))).message).toMatch(/Line 2 of .* it is not UTF-8/);
    expect(await valuesOf(text({ path, onBadRecord: 'skip' }))).toEqual(['a', 'é']);
  });

  test.each([
    ['little', Buffer.from([0xff, 0xfe])],
    ['big', Buffer.from([0xfe, 0xff])],
  ])('a UTF-16 file (%s endian) is refused as such', async (_, mark) => {
    const path = folder.write('a', Buffer.concat([mark, Buffer.from('a\n', 'utf16le')]));
    expect((await errorOf(text({ path, onBadRecord: 'skip' }))).message).toMatch(/is UTF-16.*iconv -f UTF-16/);
  });

  test('a record may have maxRecordBytes and not one more, wherever reads end', async () => {
    const fits = `"${'x'.repeat(998)}"`;
    const path = folder.write('a.jsonl', `${fits}\n${fits}\r\n${fits}`);
    expect(await valuesOf(jsonLines({ path, maxRecordBytes: 1_000 }))).toHaveLength(3);
    const error = await errorOf(jsonLines({ path, maxRecordBytes: 999, onBadRecord: 'skip' }));
    expect(error.message).toMatch(/Line 1 of .* it is longer than maxRecordBytes \(999\); raise that/);
  });

  test('a line without an end is refused before it fills the memory', async () => {
    const path = folder.write('a.jsonl', `1\n"${'x'.repeat(5_000_000)}`);
    const error = await errorOf(jsonLines({ path, maxRecordBytes: 100_000 }));
    expect(error.message).toMatch(/Line 2 of .*\(byte 2\) cannot be read: it is longer than maxRecordBytes/);
  });
});

describe('broken files', () => {
  test.each([
    ['empty', '', /at byte 0, it is empty, not a JSON array/],
    ['no array', '{"a":1}', /expected "\[" at the beginning of a JSON array, found "\{"/],
    [
      'cut inside an element',
      '[1,{"a":"',
      /after 1 records, at byte 9, the JSON array ends inside an element: it is cut/,
    ],
    ['cut behind an element', '[1,2', /ends inside an element/],
    ['cut behind a comma', '[1,{},', /ends before its "\]"/],
    ['with something behind its end', '[1,2] x', /expected nothing after the "\]" of the JSON array, found "x"/],
    ['with two arrays', '[1][2]', /expected nothing after/],
    ['with a comma too many', '[1,]', /expected an element of the JSON array, found "\]"/],
    ['with a comma first', '[,1]', /expected an element of the JSON array, found ","/],
    ['with something between elements', '[{} {}]', /after 1 records, at byte 4, expected "," or "\]" after an element/],
  ])('a JSON file that is %s is refused, whatever happens to bad records', async (_, content, message) => {
    const path = folder.write('a.json', content);
    const error = await errorOf(jsonArray({ path, onBadRecord: 'skip' }));
    expect(error).toBeInstanceOf(BadRecordError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });

  test('a broken element of an array is a bad record like any other', async () => {
    const path = folder.write('a.json', '[1, {"a":}, tru, [1,2}, "\\x", 2]');
    expect(await valuesOf(jsonArray({ path, onBadRecord: 'skip' }))).toEqual([1, 2]);
    expect((await errorOf(jsonArray({ path }))).message).toMatch(/Element 2 of .*\(byte 4\) cannot be read/);
  });

  test.each([
    ['a,b,a\n', /two columns are named "a"/],
    ['a,,b\n', /a column is named ""/],
  ])('a CSV header that does not name every column once is refused', async (content, message) => {
    const error = await errorOf(csv({ path: folder.write('a.csv', content), onBadRecord: 'skip' }));
    expect(error.message).toMatch(message);
  });

  test('a gzip file that is cut, or none, is refused', async () => {
    const whole = gzipSync('12345\n'.repeat(1_000));
    const cut = folder.write('a.gz', whole.subarray(0, whole.length - 10));
    expect((await errorOf(jsonLines({ path: cut }))).message).toMatch(/The gzip data of ".*a\.gz" is damaged or cut/);
    const none = folder.write('b.gz', '12345\n');
    expect(await errorOf(jsonLines({ path: none }))).toBeInstanceOf(BadRecordError);
  });
});

describe('files that cannot be read', () => {
  test('all of them are named, by the check and when the source is opened', async () => {
    mkdirSync(folder.at('folder'));
    const path = [folder.at('missing.json'), folder.at('folder'), folder.write('there', '')];
    const source = jsonLines({ path });
    const check = async () => source.check?.();
    await expect(check).rejects.toThrow(
      /missing\.json": it does not exist\. Correct the path.*folder": it is a directory/s,
    );
    await expect(check).rejects.toBeInstanceOf(FileError);
    await expect(SourceProbe.open(source)).rejects.toMatchObject({ code: 'FILE', fault: 'external', retriable: false });
  });

  test('one that may not be read says so', async () => {
    const path = folder.write('secret', '');
    chmodSync(path, 0);
    // The superuser may read everything.
    const outcome = await SourceProbe.open(text({ path })).then(
      async probe => probe.close().then(() => 'read'),
      error => (error as Error).message,
    );
    if (process.getuid?.() === 0) expect(outcome).toBe('read');
    else expect(outcome).toMatch(/permission is denied\. Give the user of this process access/);
  });
});

describe('options', () => {
  test('every problem is named at once', () => {
    const wrong = { path: [], timestamp: 5, schema: {}, onBadRecord: 'ignore', maxRecordBytes: 0, folow: true };
    try {
      jsonLines(wrong as never);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsError);
      expect((error as SettingsError).problems).toHaveLength(6);
      expect((error as SettingsError).message).toContain('did you mean "follow"?');
    }
  });

  test.each([
    [() => jsonLines({ path: 'a.gz', follow: true }), /follow: "a\.gz" is compressed/],
    [() => jsonLines({ path: ['a', 'b', 'a'] }), /path: "a" is named twice/],
    [() => csv({ path: 'a', delimiter: '"' }), /quote: it is the same character as delimiter/],
    [() => csv({ path: 'a', delimiter: 'ab' }), /delimiter: "ab" was given; accepted is one ASCII character/],
    [() => csv({ path: 'a', header: [] }), /header/],
    [() => jsonArray({ path: 'a', follow: true } as never), /"follow" is not a setting here/],
    [() => jsonLines({ path: 'a', pollInterval: '5 parsecs' as never }), /pollInterval: "5 parsecs" was given/],
    [() => jsonLines({ path: Array.from({ length: 100 }, (_, n) => `${n}.jsonl`) }), /give a short name/],
  ])('options that do not go together are refused', (declare, message) => {
    expect(declare).toThrow(message);
  });

  test('the name is that of the files unless it is given', () => {
    expect(jsonArray({ path: 'data/flights.json' }).name).toBe('file:flights.json');
    expect(jsonLines({ path: ['a/x.jsonl', 'b/y.jsonl'] }).name).toBe('file:x.jsonl,y.jsonl');
    expect(text({ path: 'a', name: 'lines' }).name).toBe('lines');
  });

  test('a source is bounded unless it follows', () => {
    expect(text({ path: 'a' }).bounded).toBe(true);
    expect(text({ path: 'a', follow: true }).bounded).toBe(false);
  });
});
