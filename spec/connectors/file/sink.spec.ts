import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileError, type FileSinkOptions, fileSink, OutputChangedError } from '../../../connectors/file/index.ts';
import { ExternalError, FencedError, SettingsError, StateLostError, UserCodeError } from '../../../lib/index.ts';
import { type Committed, SinkProbe } from '../../contract/sink-probe.ts';
import { Folder } from './folder.ts';
import { fileHandles, fullDisk } from './full-disk.ts';

type Line = { readonly n: number };

let folder: Folder;
let path: string;
let hidden: string;
let opened: SinkProbe<Line>[];

beforeEach(() => {
  folder = new Folder();
  path = folder.at('out/airports.jsonl');
  hidden = folder.at('out/.airports.jsonl.tidemark');
  opened = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const probe of opened) await probe.close();
  folder[Symbol.dispose]();
});

async function openSink(token: number, from?: Committed, options: Partial<FileSinkOptions<Line>> = {}) {
  const probe = await SinkProbe.open(fileSink<Line>({ path, ...options }), token, from);
  opened.push(probe);
  return probe;
}

const lines = (from: number, to: number): Line[] => Array.from({ length: to - from }, (_, i) => ({ n: from + i }));
const textOf = (from: number, to: number): string =>
  lines(from, to)
    .map(line => `${JSON.stringify(line)}\n`)
    .join('');
const visible = (): string => readFileSync(path, 'utf8');
const parts = (): string[] => readdirSync(hidden).filter(name => name.endsWith('.part'));

/** A first incarnation with lines 0 to 3 committed by checkpoint 1, and 3 to 6 by checkpoint 2. */
async function twoCheckpoints(): Promise<readonly [Committed, Committed]> {
  const probe = await openSink(1);
  probe.write(...lines(0, 3));
  const first = await probe.checkpoint(1);
  probe.write(...lines(3, 6));
  return [first, await probe.checkpoint(2)];
}

describe('a new output', () => {
  test('puts the name of its task into the path where that says so', async () => {
    await openSink(1, undefined, { path: folder.at('{task}/of-{task}.jsonl') });
    expect(existsSync(folder.at('main/of-main.jsonl'))).toBe(true);
  });

  test('is made with its folder, empty until the first commit', async () => {
    await openSink(1);
    expect(visible()).toBe('');
  });

  test('may be an empty file that is there', async () => {
    folder.write('out/airports.jsonl', '');
    const probe = await openSink(1);
    probe.write(...lines(0, 2));
    await probe.checkpoint(1);
    expect(visible()).toBe(textOf(0, 2));
  });

  test('refuses a file of somebody else, says what to do, and leaves nothing behind', async () => {
    folder.write('out/airports.jsonl', 'mine\n');
    await expect(openSink(1)).rejects.toThrow(/exists already \(5 bytes\).*Move it away.*existing: 'truncate'/s);
    await expect(openSink(1)).rejects.toBeInstanceOf(OutputChangedError);
    expect(visible()).toBe('mine\n');
    expect(existsSync(hidden)).toBe(false);
  });

  test('takes the place of a file of somebody else when told so', async () => {
    folder.write('out/airports.jsonl', 'mine\n');
    const probe = await openSink(1, undefined, { existing: 'truncate' });
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(visible()).toBe(textOf(0, 1));
  });

  test('takes the place of what the same job wrote before it was started afresh', async () => {
    await twoCheckpoints();
    const probe = await openSink(2);
    expect(visible()).toBe('');
    expect(probe.log.map(({ message }) => message)).toContain('the output starts anew');
    probe.write(...lines(7, 9));
    await probe.checkpoint(3);
    expect(visible()).toBe(textOf(7, 9));
  });

  test('refuses what the same job wrote under a newer token: that may be a running process', async () => {
    await openSink(5);
    await expect(openSink(1)).rejects.toThrow(
      /token 5.*another process runs the job, or its stored state was deleted/s,
    );
    const probe = await openSink(1, undefined, { existing: 'truncate' });
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(visible()).toBe(textOf(0, 1));
  });

  test('refuses the output of another sink', async () => {
    await openSink(1, undefined, { name: 'alerts' });
    await expect(openSink(2, undefined, { name: 'airports' })).rejects.toThrow(/belongs to sink "alerts" of job "job"/);
  });

  test('keeps its permissions when it starts anew', async () => {
    await openSink(1);
    chmodSync(path, 0o640);
    await openSink(2);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test('is safe from a zombie that has the old file open', async () => {
    const zombie = await openSink(1);
    zombie.write(...lines(0, 3));
    const decided = await zombie.prepare(1);
    const old = await open(path, 'r+');
    await openSink(2);
    await old.write(textOf(0, 3), 0);
    await old.close();
    await expect(zombie.commit(decided)).rejects.toBeInstanceOf(FencedError);
    expect(visible()).toBe('');
  });

  test('is reached through symbolic links, which stay', async () => {
    mkdirSync(folder.at('real'));
    folder.write('real/data.jsonl', '');
    mkdirSync(dirname(path));
    symlinkSync(folder.at('real/data.jsonl'), path);
    const probe = await openSink(1);
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(readFileSync(folder.at('real/data.jsonl'), 'utf8')).toBe(textOf(0, 1));
    expect(visible()).toBe(textOf(0, 1));
  });

  test('may have the longest name that a file can have', async () => {
    path = folder.at(`${'n'.repeat(249)}.jsonl`);
    const probe = await openSink(1);
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(visible()).toBe(textOf(0, 1));
  });

  test('is refused when its path is a folder', async () => {
    mkdirSync(path, { recursive: true });
    await expect(async () => fileSink({ path }).check?.()).rejects.toThrow(/it is a directory/);
    await expect(openSink(1)).rejects.toBeInstanceOf(OutputChangedError);
  });

  test('is refused by the check when a part of its path is a file', async () => {
    folder.write('out', 'a file');
    await expect(async () => fileSink({ path }).check?.()).rejects.toBeInstanceOf(FileError);
  });
});

describe('recovery', () => {
  test('completes a write that a crash tore, whatever bytes it left', async () => {
    const first = await openSink(1);
    first.write(...lines(0, 3));
    await first.checkpoint(1);
    first.write(...lines(3, 6));
    const decided = await first.prepare(2);
    const whole = Buffer.from(textOf(0, 6));
    for (const torn of [0, 1, 8, 20, 24]) {
      truncateSync(path, textOf(0, 3).length);
      const content = Buffer.concat([Buffer.from(textOf(0, 3)), whole.subarray(24, 24 + torn)]);
      // A power failure may leave zeros where data was to come.
      writeFileSync(path, torn % 2 === 0 ? content : Buffer.concat([content, Buffer.alloc(3)]));
      await openSink(2 + torn, decided);
      expect(visible()).toBe(textOf(0, 6));
    }
  });

  test('needs no part when the output has its bytes', async () => {
    const [, second] = await twoCheckpoints();
    for (const part of parts()) rmSync(join(hidden, part));
    const probe = await openSink(2, second);
    probe.write(...lines(6, 7));
    await probe.checkpoint(3);
    expect(visible()).toBe(textOf(0, 7));
  });

  test('goes on when the hidden folder was deleted', async () => {
    const [, second] = await twoCheckpoints();
    rmSync(hidden, { recursive: true });
    const probe = await openSink(2, second);
    probe.write(...lines(6, 7));
    await probe.checkpoint(3);
    expect(visible()).toBe(textOf(0, 7));
  });

  test('is refused when a part is gone or damaged and the output lacks its bytes', async () => {
    const probe = await openSink(1);
    probe.write(...lines(0, 3));
    const decided = await probe.prepare(1);
    const [part] = parts();
    const content = readFileSync(join(hidden, part ?? ''));
    content[0] = 0x20;
    writeFileSync(join(hidden, part ?? ''), content);
    await expect(openSink(2, decided)).rejects.toThrow(/is damaged; it holds committed output/);
    rmSync(join(hidden, part ?? ''));
    await expect(openSink(3, decided)).rejects.toBeInstanceOf(StateLostError);
    expect(visible()).toBe('');
  });

  test.each([
    ['was shortened', () => truncateSync(path, 10), /shortened or replaced.*it has 10 bytes/s],
    ['was removed', () => rmSync(path), /shortened or replaced.*it has 0 bytes/s],
    ['was appended to', () => appendFileSync(path, 'mine\n'), /5 bytes more than checkpoints wrote/],
    ['was replaced by one as long', () => writeFileSync(path, 'x'.repeat(48)), /bytes before byte 24 are others/],
  ])('is refused when the output %s, which is left as it is', async (_, change, message) => {
    const [, second] = await twoCheckpoints();
    change();
    const before = existsSync(path) ? visible() : undefined;
    await expect(openSink(2, second)).rejects.toThrow(message);
    await expect(openSink(3, second)).rejects.toBeInstanceOf(OutputChangedError);
    expect(existsSync(path) ? visible() : undefined).toBe(before);
  });

  test('cuts what somebody appended when told so', async () => {
    const [, second] = await twoCheckpoints();
    appendFileSync(path, 'mine\n');
    const probe = await openSink(2, second, { existing: 'truncate' });
    expect(visible()).toBe(textOf(0, 6));
    probe.write(...lines(6, 7));
    await probe.checkpoint(3);
    expect(visible()).toBe(textOf(0, 7));
  });

  test('drops what later checkpoints of the job wrote when it goes back to an older one', async () => {
    const [first] = await twoCheckpoints();
    const probe = await openSink(2, first);
    expect(visible()).toBe(textOf(0, 3));
    expect(probe.log.map(({ message }) => message)).toContain('output behind the restored checkpoint is dropped');
    probe.write(...lines(8, 9));
    await probe.checkpoint(3);
    expect(visible()).toBe(textOf(0, 3) + textOf(8, 9));
  });

  test('is refused under a token older than the newest claim', async () => {
    const [, second] = await twoCheckpoints();
    await openSink(7, second);
    await expect(openSink(6, second)).rejects.toBeInstanceOf(FencedError);
  });

  test('names the path that the checkpoint wrote to when it is given another', async () => {
    const [, second] = await twoCheckpoints();
    const old = path;
    path = folder.at('elsewhere.jsonl');
    await expect(openSink(2, second, { name: 'file:airports.jsonl' })).rejects.toThrow(
      `the checkpoint wrote to "${old}"`,
    );
  });

  test('refuses a handle that is none of its own', async () => {
    await expect(openSink(1, { id: 1, token: 1, handle: { table: 'x' } })).rejects.toBeInstanceOf(StateLostError);
  });
});

describe('while it runs', () => {
  test.each([
    ['appended to', () => appendFileSync(path, 'mine\n'), /appended to by somebody else/],
    ['shortened', () => truncateSync(path, 3), /shortened by somebody else/],
    ['removed', () => rmSync(path), /removed by somebody else/],
    ['replaced', () => writeFileSync(path, 'x'.repeat(24)), /bytes before byte 24 are others/],
  ])('a commit is refused when the output was %s', async (_, change, message) => {
    const probe = await openSink(1);
    probe.write(...lines(0, 3));
    await probe.checkpoint(1);
    change();
    probe.write(...lines(3, 4));
    const prepared = await probe.prepare(2);
    await expect(probe.commit(prepared)).rejects.toThrow(message);
  });

  test('a checkpoint without output touches no file', async () => {
    const probe = await openSink(1);
    probe.write(...lines(0, 3));
    await probe.checkpoint(1);
    const before = readdirSync(hidden).map(name => [name, statSync(join(hidden, name)).mtimeMs]);
    const { mtimeMs } = statSync(path);
    await probe.checkpoint(2);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(hidden).length).toBeLessThanOrEqual(before.length);
  });

  test('a part goes after the next commit, and the last at a clean end', async () => {
    const probe = await openSink(1);
    for (let id = 1; id <= 4; id++) {
      probe.write(...lines(id, id + 1));
      await probe.checkpoint(id);
      expect(parts()).toHaveLength(1);
    }
    probe.write(...lines(9, 10));
    await probe.close();
    expect(parts()).toEqual([]);
    expect(readdirSync(hidden)).toEqual(['1.claim']);
  });

  test('parts of a checkpoint whose outcome is unknown stay when it is closed', async () => {
    const probe = await openSink(1);
    probe.write(...lines(0, 3));
    const decided = await probe.prepare(1);
    await probe.close();
    await openSink(2, decided);
    expect(visible()).toBe(textOf(0, 3));
  });

  test('records give their credits back without a barrier, once they are on the disk', async () => {
    const probe = await openSink(1);
    probe.write(...lines(0, 10));
    expect(probe.held).toBe(10);
    await probe.untilReleased();
    expect(visible()).toBe('');
  });

  test('memory stays within its bound when the disk stands still', async () => {
    const probe = await openSink(1, undefined, { maxBufferedBytes: 200_000 });
    probe.write(...lines(0, 1));
    await probe.prepare(1);
    probe.writer.abandon(1);
    // The first write of the next part opens its file; from then on no asynchronous write comes to an end.
    probe.write(...lines(0, 600));
    await probe.untilReleased();
    const release: (() => void)[] = [];
    const handles = await fileHandles();
    const write = handles.write;
    vi.spyOn(handles, 'write').mockImplementation(async function (this: unknown, ...args: never[]) {
      await new Promise<void>(resolve => release.push(resolve));
      return write.apply(this, args);
    });
    let most = 0;
    for (let n = 600; n < 60_000; n += 100) {
      probe.write(...lines(n, n + 100));
      most = Math.max(most, probe.held);
    }
    expect(release).toHaveLength(1);
    // A record has about 12 bytes.
    expect(most).toBeLessThan(30_000);
    vi.restoreAllMocks();
    for (const go of release) go();
    await probe.checkpoint(2);
    expect(visible()).toBe(textOf(0, 1) + textOf(0, 60_000));
    expect(probe.held).toBe(0);
  });

  test('a record that cannot be written is the fault of who wrote it', async () => {
    const probe = await SinkProbe.open(fileSink<unknown>({ path }), 1);
    expect(() => probe.write(undefined)).toThrow(UserCodeError);
    expect(() => probe.write(10n)).toThrow(/cannot write a record as jsonl should.*BigInt/s);
    await probe.close();
  });
});

describe('a full disk', () => {
  test('fails the checkpoint with a clear error, loses nothing, and is over once there is space', async () => {
    mkdirSync(folder.at('small'));
    path = folder.at('small/airports.jsonl');
    const probe = await openSink(1);
    await probe.close();
    rmSync(folder.at('small/.airports.jsonl.tidemark'), { recursive: true });
    rmSync(path);
    using disk = await fullDisk(folder.at('small'), 64 * 1024);
    const again = await openSink(2);
    again.write(...lines(0, 8_000));
    again.writer.barrier(1);
    await expect(async () => again.writer.flush(1)).rejects.toThrow(/Cannot write .*: the disk is full\. Make space/);
    again.writer.abandon(1);
    expect(visible()).toBe('');
    again.write(...lines(8_000, 8_010));
    again.writer.barrier(2);
    await expect(async () => again.writer.flush(2)).rejects.toBeInstanceOf(ExternalError);
    again.writer.abandon(2);
    disk.free();
    await again.checkpoint(3);
    expect(visible()).toBe(textOf(0, 8_010));
    expect(again.held).toBe(0);
    expect(again.errors).toEqual([]);
    await again.close();
  });

  test('in the middle of a commit: the commit is repeated once there is space', async () => {
    mkdirSync(folder.at('small'));
    path = folder.at('small/airports.jsonl');
    const probe = await openSink(1);
    probe.write(...lines(0, 2_000));
    const prepared = await probe.prepare(1);
    const handles = await fileHandles();
    const write = handles.write;
    let calls = 0;
    vi.spyOn(handles, 'write').mockImplementation(async function (this: unknown, ...args: never[]) {
      const [bytes, at] = args as unknown as [Uint8Array, number];
      if (calls++ > 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      return write.call(this, bytes as never, at as never, 1_000 as never, args[3] as never);
    });
    await expect(probe.commit(prepared)).rejects.toThrow(/the disk is full/);
    expect(statSync(path).size).toBe(1_000);
    vi.restoreAllMocks();
    await probe.commit(prepared);
    expect(visible()).toBe(textOf(0, 2_000));
  });

  test('whose pages never reached the disk: the checkpoint fails for good and the task is told', async () => {
    const probe = await openSink(1);
    probe.write(...lines(0, 3));
    vi.spyOn(await fileHandles(), 'sync').mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
    probe.writer.barrier(1);
    await expect(async () => probe.writer.flush(1)).rejects.toThrow(/the device reported an error/);
    probe.writer.abandon(1);
    probe.writer.barrier(2);
    await expect(async () => probe.writer.flush(2)).rejects.toThrow(/the device reported an error/);
    expect(probe.errors).toHaveLength(1);
  });
});

describe('other guarantees', () => {
  test('at-least-once appends to a file that is there, on a line of its own', async () => {
    folder.write('out/airports.jsonl', 'mine, torn');
    const probe = await openSink(1, undefined, { guarantee: 'at-least-once' });
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(visible()).toBe(`mine, torn\n${textOf(0, 1)}`);
  });

  test('at-least-once cuts a line that a crash tore, because it comes again', async () => {
    const probe = await openSink(1, undefined, { guarantee: 'at-least-once' });
    probe.write(...lines(0, 1));
    const committed = await probe.checkpoint(1);
    appendFileSync(path, `${textOf(1, 2)}{"n"`);
    const next = await openSink(2, committed, { guarantee: 'at-least-once' });
    next.write(...lines(1, 3));
    await next.checkpoint(2);
    expect(visible()).toBe(textOf(0, 1) + textOf(1, 2) + textOf(1, 3));
  });

  test('at-least-once starts anew when told so', async () => {
    folder.write('out/airports.jsonl', 'mine\n');
    const probe = await openSink(1, undefined, { guarantee: 'at-least-once', existing: 'truncate' });
    probe.write(...lines(0, 1));
    await probe.checkpoint(1);
    expect(visible()).toBe(textOf(0, 1));
  });

  test('none writes what it was given by the time it is closed', async () => {
    const probe = await openSink(1, undefined, { guarantee: 'none' });
    probe.write(...lines(0, 3));
    await probe.close();
    expect(visible()).toBe(textOf(0, 3));
  });
});

describe('formats', () => {
  test('text writes strings as they are', async () => {
    const probe = await SinkProbe.open(fileSink<string>({ path, format: 'text' }), 1);
    probe.write('one', '', 'zwei €');
    await probe.checkpoint(1);
    expect(visible()).toBe('one\n\nzwei €\n');
    expect(() => probe.write(3 as unknown as string)).toThrow(/format "text" takes strings/);
    await probe.close();
  });

  test('csv writes one header, and quotes what needs it', async () => {
    type Row = { readonly airport: string; readonly delay?: number | null };
    const sink = () => fileSink<Row>({ path, format: 'csv', columns: ['airport', 'delay'] });
    const first = await SinkProbe.open(sink(), 1);
    first.write({ airport: 'A "B", C', delay: -5 });
    const committed = await first.checkpoint(1);
    const second = await SinkProbe.open(sink(), 2, committed);
    second.write({ airport: 'DEN', delay: null }, { airport: 'two\nlines' });
    await second.checkpoint(2);
    expect(visible()).toBe('airport,delay\n"A ""B"", C",-5\nDEN,\n"two\nlines",\n');
    await first.close();
    await second.close();
  });

  test('csv writes its header once when a crash came before the first commit', async () => {
    const sink = () => fileSink<Line>({ path, format: 'csv', columns: ['n'] });
    const first = await SinkProbe.open(sink(), 1);
    const empty = await first.checkpoint(1);
    expect(visible()).toBe('n\n');
    const second = await SinkProbe.open(sink(), 2, empty);
    second.write({ n: 1 });
    await second.checkpoint(2);
    expect(visible()).toBe('n\n1\n');
    await first.close();
    await second.close();
  });

  test('a function of the user makes the text', async () => {
    const probe = await openSink(1, undefined, { serialize: ({ n }) => `line ${n}` });
    probe.write(...lines(0, 2));
    await probe.checkpoint(1);
    expect(visible()).toBe('line 0\nline 1\n');
  });
});

describe('options', () => {
  test('every problem is named at once', () => {
    const wrong = { path: '', format: 'xml', guarantee: 'twice', maxBufferedBytes: -1, exisiting: 'refuse' };
    const error = thrown(() => fileSink(wrong as never));
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).problems).toHaveLength(5);
    expect((error as SettingsError).message).toContain('did you mean "existing"?');
  });

  test('columns and csv belong together', () => {
    expect(() => fileSink({ path: 'a.csv', format: 'csv' })).toThrow(/columns: format "csv" needs/);
    expect(() => fileSink<Line>({ path: 'a.jsonl', columns: ['n'] })).toThrow(/only format "csv" has columns/);
  });

  test('the name is that of the file unless it is given', () => {
    expect(fileSink({ path: 'out/a.jsonl' }).name).toBe('file:a.jsonl');
    expect(fileSink({ path: new URL('file:///tmp/b.jsonl') }).name).toBe('file:b.jsonl');
    expect(fileSink({ path: 'out/a.jsonl', name: 'airports' }).name).toBe('airports');
  });
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
