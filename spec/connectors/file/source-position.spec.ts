import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { csv, jsonArray, jsonLines, text } from '../../../connectors/file/index.ts';
import { type Json, type Source, SourcePositionError } from '../../../lib/index.ts';
import { SourceProbe } from '../../contract/source-probe.ts';
import { Folder } from './folder.ts';

let folder: Folder;
let opened: SourceProbe<unknown>[];

beforeEach(() => {
  folder = new Folder();
  opened = [];
});

afterEach(async () => {
  for (const probe of opened) await probe.close();
  for (const probe of opened) expect(probe.violations).toEqual([]);
  folder[Symbol.dispose]();
});

async function open<T>(source: Source<T>, position?: Json): Promise<SourceProbe<T>> {
  const probe = await SourceProbe.open(source, position);
  opened.push(probe as SourceProbe<unknown>);
  return probe;
}

/** The position behind the batch that reaches `count` records. */
async function positionBehind<T>(source: Source<T>, count: number): Promise<Json> {
  const probe = await open(source);
  let position: Json = null;
  probe.afterBatch = () => {
    if (probe.values.length < count) return;
    position = probe.position();
    probe.pause();
  };
  probe.start();
  await probe.untilRecords(count);
  await probe.close();
  return position;
}

async function restOf<T>(source: Source<T>, position: Json): Promise<readonly T[]> {
  const probe = (await open(source, position)).start();
  await probe.untilCompleted();
  return probe.values;
}

async function refusal<T>(source: Source<T>, position: Json): Promise<string> {
  const error = await open(source, position).catch(reason => reason);
  expect(error).toBeInstanceOf(SourcePositionError);
  expect((error as Error).message).toMatch(/Put the file back as it was, or start the job afresh|start the job afresh/);
  return (error as Error).message;
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `{"id":${from + n},"pad":"${'x'.repeat(20)}"}\n`).join('');

describe('an input that changed since the checkpoint', () => {
  let path: string;
  let position: Json;

  beforeEach(async () => {
    path = folder.write('a.jsonl', lines(0, 1_000));
    position = await positionBehind(jsonLines({ path }), 512);
  });

  test('may have grown', async () => {
    appendFileSync(path, lines(1_000, 1_200));
    expect(await restOf(jsonLines({ path }), position)).toHaveLength(688);
  });

  test('may have moved to another folder', async () => {
    const moved = folder.write('elsewhere/a.jsonl', lines(0, 1_000));
    expect(await restOf(jsonLines({ path: moved }), position)).toHaveLength(488);
  });

  test('may not be shorter than what was read', async () => {
    truncateSync(path, 100);
    expect(await refusal(jsonLines({ path }), position)).toMatch(
      /a\.jsonl" is not what was read before: it was cut or replaced: it has 100 bytes, and \d+ of it were read/,
    );
  });

  test('may not be another file with another beginning', async () => {
    writeFileSync(path, lines(5_000, 8_000));
    expect(await refusal(jsonLines({ path }), position)).toMatch(/replaced or rotated: its first bytes are others/);
  });

  test('may not have other bytes before the position', async () => {
    writeFileSync(path, lines(0, 500) + lines(700, 1_200));
    expect(await refusal(jsonLines({ path }), position)).toMatch(
      /it was changed: the bytes before byte \d+ are others/,
    );
  });

  test('may not be gone', async () => {
    rmSync(path);
    await expect(open(jsonLines({ path }), position)).rejects.toThrow(/it does not exist/);
  });

  test('may not be read in another format', async () => {
    expect(await refusal(text({ path }), position)).toMatch(/was made reading json-lines, and it now reads text/);
  });
});

describe('a compressed input that changed', () => {
  test.each([
    ['cut', lines(0, 200), /it was cut or replaced/],
    ['replaced', lines(2_000, 4_000), /its first bytes are others/],
    ['changed', lines(0, 500) + lines(700, 1_200), /the bytes before byte \d+ are others/],
  ])('is refused when it was %s', async (_, content, message) => {
    const path = folder.write('a.gz', gzipSync(lines(0, 1_000)));
    const position = await positionBehind(jsonLines({ path }), 512);
    expect(await restOf(jsonLines({ path }), position)).toHaveLength(488);
    writeFileSync(path, gzipSync(content));
    expect(await refusal(jsonLines({ path }), position)).toMatch(message);
  });

  test('is refused when its data is damaged before the position', async () => {
    const path = folder.write('a.gz', gzipSync(lines(0, 1_000)));
    const position = await positionBehind(jsonLines({ path }), 512);
    truncateSync(path, 40);
    expect(await refusal(jsonLines({ path }), position)).toMatch(
      /its gzip data is damaged or cut before what was read/,
    );
  });
});

describe('a list of files', () => {
  let path: string[];
  let position: Json;

  beforeEach(async () => {
    path = [
      folder.write('a', lines(0, 600)),
      folder.write('b.gz', gzipSync(lines(600, 700))),
      folder.write('c', lines(700, 1_500)),
    ];
    position = await positionBehind(jsonLines({ path }), 1_200);
  });

  test('goes on in the file that was being read', async () => {
    expect(await restOf(jsonLines({ path }), position)).toHaveLength(288);
  });

  test('may get more files at its end, also once all were read', async () => {
    const source = jsonLines({ path });
    const more = jsonLines({ path: [...path, folder.write('d', lines(1_500, 1_600))], name: source.name });
    expect(await restOf(more, position)).toHaveLength(388);
    const probe = (await open(source)).start();
    await probe.untilCompleted();
    expect(await restOf(more, probe.position())).toHaveLength(100);
  });

  test.each([
    ['the first', () => writeFileSync(folder.at('a'), lines(1, 601)), /a" is not what was read before: .*first bytes/],
    [
      'the last bytes of the first',
      () => writeFileSync(folder.at('a'), lines(0, 590) + lines(595, 605)),
      /bytes before/,
    ],
    [
      'the second',
      () => writeFileSync(folder.at('b.gz'), gzipSync(lines(0, 100))),
      /b\.gz" is not what was read before/,
    ],
  ])('is refused when %s of those before was changed', async (_, change, message) => {
    change();
    expect(await refusal(jsonLines({ path }), position)).toMatch(message);
  });

  test('says that an earlier file has grown, and does not read that', async () => {
    appendFileSync(folder.at('a'), lines(0, 10));
    const probe = (await open(jsonLines({ path }), position)).start();
    await probe.untilCompleted();
    expect(probe.values).toHaveLength(288);
    expect(probe.log.map(({ message }) => message).join()).toMatch(/has grown since its end was reached/);
  });

  test('may not lose files', async () => {
    expect(await refusal(jsonLines({ path: path.slice(0, 2) }), position)).toMatch(
      /is in file 3 of its list, .* now has 2/,
    );
  });
});

describe('a last line without line end', () => {
  const source = (): Source<string> => text({ path: folder.at('a') });

  test('is given, and nothing comes after it', async () => {
    folder.write('a', 'one\ntwo');
    expect(await restOf(source(), await positionBehind(source(), 2))).toEqual([]);
  });

  test.each(['\n', '\r\n'])('may get its line end %j and more lines later', async end => {
    folder.write('a', 'one\ntwo');
    const position = await positionBehind(source(), 2);
    appendFileSync(folder.at('a'), `${end}three\n`);
    expect(await restOf(source(), position)).toEqual(['three']);
  });

  test('may not be continued: it was read as it was', async () => {
    folder.write('a', 'one\ntwo');
    const position = await positionBehind(source(), 2);
    appendFileSync(folder.at('a'), 'nd\n');
    const probe = (await open(source(), position)).start();
    expect(await probe.untilError()).toBeInstanceOf(SourcePositionError);
    expect((probe.errors[0] as Error).message).toMatch(/its last line, which had no line end at byte 7, was continued/);
  });
});

describe('files that are followed', () => {
  const followed = <T>(): Source<T> => jsonLines<T>({ path: folder.at('a'), follow: true, pollInterval: '1s' });

  async function following<T>(content: string, count: number): Promise<SourceProbe<T>> {
    folder.write('a', content);
    const probe = (await open(followed<T>())).start();
    await probe.untilRecords(count);
    await probe.scheduler.untilScheduled();
    return probe;
  }

  test('give what is appended at the next look, and a line only once it is whole', async () => {
    const probe = await following<number>('1\n2', 1);
    expect(probe.values).toEqual([1]);
    appendFileSync(folder.at('a'), '3\n4\n5');
    probe.scheduler.advance(999);
    for (let count = 0; count < 20; count++) await turn();
    expect(probe.values).toEqual([1]);
    probe.scheduler.advance(1);
    await probe.untilRecords(3);
    expect(probe.values).toEqual([1, 23, 4]);
    await probe.scheduler.untilScheduled();
    appendFileSync(folder.at('a'), '\n');
    probe.scheduler.advance(1_000);
    await probe.untilRecords(4);
    expect(probe.values.at(-1)).toBe(5);
    expect(probe.completions).toBe(0);
    expect(probe.reader.progress?.()).toBeUndefined();
  });

  test('go on from a position, with what was appended while nobody looked', async () => {
    const probe = await following<number>('1\n2\n', 2);
    const position = probe.position();
    await probe.close();
    appendFileSync(folder.at('a'), '3\n');
    const again = (await open(followed<number>(), position)).start();
    await again.untilRecords(1);
    expect(again.values).toEqual([3]);
  });

  test('may be empty at first', async () => {
    const probe = await following<number>('', 0);
    appendFileSync(folder.at('a'), '\ufeff');
    probe.scheduler.advance(1_000);
    await probe.scheduler.untilScheduled();
    appendFileSync(folder.at('a'), '1\n');
    probe.scheduler.advance(1_000);
    await probe.untilRecords(1);
    expect(probe.values).toEqual([1]);
  });

  test('come last in a list: those before are read to their end', async () => {
    folder.write('old', '1\n2');
    folder.write('a', '3\n');
    const probe = (await open(jsonLines<number>({ path: [folder.at('old'), folder.at('a')], follow: true }))).start();
    await probe.untilRecords(3);
    await probe.scheduler.untilScheduled();
    appendFileSync(folder.at('a'), '4\n');
    probe.scheduler.advance(250);
    await probe.untilRecords(4);
    expect(probe.values).toEqual([1, 2, 3, 4]);
  });

  test('may be CSV, with rows of several lines', async () => {
    folder.write('a.csv', 'a,b\n1,"two\n');
    const probe = (await open(csv({ path: folder.at('a.csv'), follow: true }))).start();
    await probe.scheduler.untilScheduled();
    appendFileSync(folder.at('a.csv'), 'lines"\n');
    probe.scheduler.advance(250);
    await probe.untilRecords(1);
    expect(probe.values).toEqual([{ a: '1', b: 'two\nlines' }]);
  });

  test.each([
    ['cut', () => truncateSync(folder.at('a'), 2), /it was cut: it has 2 bytes, and 4 of it were read/],
    [
      'rotated',
      () => {
        renameSync(folder.at('a'), folder.at('b'));
        folder.write('a', '');
      },
      /rotated: its name is another file/,
    ],
    ['removed', () => rmSync(folder.at('a')), /it was removed or rotated away/],
    ['written anew', () => writeFileSync(folder.at('a'), '7\n8\n9\n'), /the bytes before byte 4 are others/],
  ])('fail when they are %s', async (_, change, message) => {
    const probe = await following<number>('1\n2\n', 2);
    change();
    probe.scheduler.advance(1_000);
    const error = await probe.untilError();
    expect(error).toBeInstanceOf(SourcePositionError);
    expect((error as Error).message).toMatch(message);
  });

  test('leave nothing scheduled once they are closed', async () => {
    const probe = await following<number>('1\n', 1);
    await probe.close();
    expect(probe.scheduler.pending).toBe(0);
  });
});

test('a CSV position knows the header again', async () => {
  const rows = Array.from({ length: 600 }, (_, n) => `${n},x`).join('\n');
  const path = folder.write('a.csv', `\n\nid,text\n${rows}\n`);
  const rest = await restOf(csv({ path }), await positionBehind(csv({ path }), 509));
  expect(rest[0]).toEqual({ id: '509', text: 'x' });
  expect(rest).toHaveLength(91);
});

test('a position of an array goes on behind the comma', async () => {
  const path = folder.write('a.json', JSON.stringify(Array.from({ length: 600 }, (_, n) => n)));
  expect((await restOf(jsonArray({ path }), await positionBehind(jsonArray({ path }), 512)))[0]).toBe(512);
});
